#!/usr/bin/env node
import { ApiError } from '@peta/api';
import { Command, CommanderError } from 'commander';
import { addAgents } from './commands/agents.ts';
import { addAudit } from './commands/audit.ts';
import { addCall } from './commands/call.ts';
import { addClients } from './commands/clients.ts';
import { addConsents } from './commands/consents.ts';
import { addEndpoints } from './commands/endpoints.ts';
import { addEnvironments } from './commands/environments.ts';
import { addRoles } from './commands/roles.ts';
import { addServers } from './commands/servers.ts';
import { addSessions } from './commands/sessions.ts';
import { addSetupLink } from './commands/setup-link.ts';
import { addTeams } from './commands/teams.ts';
import { addTokens } from './commands/tokens.ts';
import { addUsers } from './commands/users.ts';
import { addWorkspaces } from './commands/workspaces.ts';
import { addConnect } from './connect/connect.ts';
import { addDoctor } from './doctor/doctor.ts';
import { failureIn, Misuse } from './failure.ts';
import { TOKEN_ADVICE } from './target.ts';
import { version } from './version.ts';

const program = new Command('peta')
  .description('The control plane between AI agents and the tools they use')
  .version(version)
  .option('--url <url>', 'address of the Peta to use (or PETA_URL); default: the one that runs on PETA_HOME')
  .option('--token <token>', 'token to use there (better: PETA_TOKEN, which no process list shows)')
  .option('--json', 'print JSON, for programs')
  .showHelpAfterError('(peta --help shows what there is)')
  .exitOverride();

program
  .command('start')
  .description('start Peta here')
  .option('--demo', 'also register three real servers and a demo person, and print a first call')
  .action(async (_options, command: Command) => {
    const { start } = await import('./start/start.ts');
    await start(command.optsWithGlobals());
  });
addSetupLink(program);
addServers(program);
addEndpoints(program);
addEnvironments(program);
addWorkspaces(program);
addUsers(program);
addTeams(program);
addRoles(program);
addAgents(program);
addTokens(program);
addClients(program);
addConsents(program);
addSessions(program);
addCall(program);
addAudit(program);
addDoctor(program);
addConnect(program);

/** One sentence for the person; everything only when asked for. Returns the exit code. */
const report = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const failure = failureIn(error);
  if (process.env.PETA_DEBUG) console.error(error);
  else console.error(`peta: ${(failure ?? (error instanceof Error ? error : new Error(String(error)))).message}`);
  if (error instanceof ApiError && error.status === 401) console.error(TOKEN_ADVICE);
  return failure instanceof Misuse ? 2 : 1;
};

// Whoever reads us may stop reading, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
