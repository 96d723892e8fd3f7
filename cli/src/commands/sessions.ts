import type { Command } from 'commander';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor, type TargetOptions } from '../target.ts';

type Options = TargetOptions & { json?: boolean };

export const addSessions = (program: Command): void => {
  const sessions = program.command('sessions').description('live sessions of MCP clients');

  sessions
    .command('list')
    .description('own sessions, for administrators those of everybody')
    .argument('[user]')
    .action(async (userId: string | undefined, _options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const { sessions: all } = await (await clientFor(target)).sessions.list(userId ? { userId } : {});
      if (json) return printJson(all);
      if (all.length === 0) return printLine('No sessions. Clients of 2026-07-28 have none.');
      printTable(
        ['USER', 'CLIENT', 'ENDPOINT', 'PROTOCOL', 'STREAMS', 'BEGAN', 'LAST USED', 'ID'],
        all.map((one) => [
          one.userId ?? one.kind,
          `${one.client.name} ${one.client.version}`.trim(),
          one.endpoint,
          one.protocolVersion,
          String(one.openStreams),
          one.createdAt,
          one.lastUsedAt,
          one.sessionId,
        ]),
      );
    });

  sessions
    .command('end')
    .description('end a session; its streams end within a second')
    .argument('<id>')
    .action(async (sessionId: string, _options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const done = await (await clientFor(target)).sessions.end({ sessionId });
      if (json) printJson(done);
      else printLine(done.message);
    });
};
