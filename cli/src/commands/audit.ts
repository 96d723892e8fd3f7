import { type Command, Option } from 'commander';
import { wholeNumber } from '../arguments.ts';
import { printJson, printTable } from '../print.ts';
import { clientFor } from '../target.ts';

type Options = { user?: string; server?: string; kind?: 'call' | 'admin' | 'auth' | 'system'; limit: number };

export const addAudit = (program: Command): void => {
  program
    .command('audit')
    .description('what happened, newest first')
    .option('--user <id>', 'by this person or agent')
    .option('--server <id>', 'on this server')
    .addOption(new Option('--kind <kind>', 'of this kind').choices(['call', 'admin', 'auth', 'system']))
    .option('--limit <records>', 'how many', wholeNumber, 30)
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
