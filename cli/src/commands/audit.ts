import type { Command } from 'commander';
import { printJson, printTable } from '../print.ts';
import { clientFor } from '../target.ts';

type Options = { user?: string; server?: string; kind?: 'call' | 'admin' | 'auth' | 'system'; limit: string };

export const addAudit = (program: Command): void => {
  program
    .command('audit')
    .description('what happened, newest first')
    .option('--user <id>', 'by this person or agent')
    .option('--server <id>', 'on this server')
    .option('--kind <kind>', 'call, admin, auth or system')
    .option('--limit <records>', 'how many', '30')
    .action(async ({ user, server, kind, limit }: Options, command: Command) => {
      const options = command.optsWithGlobals();
      const page = await (await clientFor(options)).audit.list({
        limit,
        ...(user && { userId: user }),
        ...(server && { serverId: server }),
        ...(kind && { kind }),
      });
      if (options.json) return printJson(page);
      printTable(
        ['TIME', 'WHO', 'WHAT', 'ON', 'OUTCOME', 'MS', 'WHY'],
        page.records.map((r) => [
          r.at,
          r.userId ?? r.address ?? '',
          r.operation,
          r.serverId ? `${r.serverId} ${r.name ?? ''}` : (r.name ?? r.exposedName ?? ''),
          r.outcome,
          String(r.durationMs ?? ''),
          r.error ?? '',
        ]),
      );
    });
};
