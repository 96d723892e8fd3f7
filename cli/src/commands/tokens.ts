import type { TokenScope } from '@peta/api';
import type { Command } from 'commander';
import { duration, wholeNumber } from '../arguments.ts';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor } from '../target.ts';

/** An option that may come several times, or once with commas. */
const several = (text: string, held: string[] = []): string[] => [...held, ...text.split(',').map((one) => one.trim())];

type IssueOptions = {
  name?: string;
  expires?: number;
  server?: string[];
  endpoint?: string[];
  tool?: string[];
  operation?: string[];
  environment?: string[];
};

type ListOptions = { unused?: number; ending?: number };

const scopeOf = ({ server, endpoint, tool, operation, environment }: IssueOptions): TokenScope => ({
  ...(server && { servers: server }),
  ...(endpoint && { endpoints: endpoint }),
  ...(tool && { tools: tool }),
  ...(operation && { operations: operation }),
  ...(environment && { environments: environment }),
});

export const addTokens = (program: Command): void => {
  const tokens = program.command('tokens').description('service tokens');

  tokens
    .command('issue')
    .description('issue a token for a person or agent; it is shown once')
    .argument('<user>')
    .option('--name <name>', 'what it is for')
    .option('--expires <in>', 'such as 12h, 30d, 4w; default: never', duration)
    .option('--server <id>', 'confine it to this server; each of these may come several times', several)
    .option('--endpoint <path>', 'confine it to this endpoint, such as /mcp/e/research', several)
    .option('--tool <server::tool>', 'confine it to this tool', several)
    .option('--operation <name>', 'confine it to this operation of the API; mcp for MCP', several)
    .option('--environment <id>', 'confine it to the servers of this environment', several)
    .action(async (userId: string, given: IssueOptions, command: Command) => {
      const options = command.optsWithGlobals();
      const { name, expires } = given;
      const issued = await (await clientFor(options)).tokens.issue({
        userId,
        ...(name && { name }),
        expiresAt: expires === undefined ? null : new Date(Date.now() + expires).toISOString(),
        scope: scopeOf(given),
      });
      if (options.json) return printJson(issued);
      printLine(issued.secret);
      console.error(`This token of ${userId} is shown this once (id ${issued.token.tokenId}).`);
    });

  tokens
    .command('list')
    .description('tokens, without their secrets')
    .argument('[user]')
    .option('--unused <for>', 'only those that nobody has used for so long, such as 30d', duration)
    .option('--ending <in>', 'only those that end within this time, such as 7d', duration)
    .action(async (userId: string | undefined, { unused, ending }: ListOptions, command: Command) => {
      const options = command.optsWithGlobals();
      const { tokens: all } = await (await clientFor(options)).tokens.list({
        ...(userId && { userId }),
        ...(unused && { unusedSince: new Date(Date.now() - unused).toISOString() }),
        ...(ending && { endsBefore: new Date(Date.now() + ending).toISOString() }),
      });
      if (options.json) return printJson(all);
      printTable(
        ['ID', 'USER', 'NAME', 'TOKEN', 'EXPIRES', 'LAST USED', 'REVOKED'],
        all.map((t) => [
          t.tokenId,
          t.userId,
          t.name,
          t.mask,
          t.expiresAt ?? 'never',
          t.lastUsedAt ?? 'never',
          t.revokedAt ?? '',
        ]),
      );
    });

  tokens
    .command('rotate')
    .description('issue a successor; the old token goes on for the overlap')
    .argument('<id>')
    .option('--overlap <seconds>', 'how long the old one goes on', wholeNumber, 3600)
    .action(async (tokenId: string, { overlap }: { overlap: number }, command: Command) => {
      const options = command.optsWithGlobals();
      const issued = await (await clientFor(options)).tokens.rotate({ tokenId, overlapSeconds: overlap });
      if (options.json) return printJson(issued);
      printLine(issued.secret);
      console.error(`The old token ends in ${overlap} s; this one is shown this once (id ${issued.token.tokenId}).`);
    });

  tokens
    .command('revoke')
    .description('revoke a token; its open streams end within a second')
    .argument('<id>')
    .action(async (tokenId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const done = await (await clientFor(options)).tokens.revoke({ tokenId });
      if (options.json) printJson(done);
      else printLine(done.message);
    });
};
