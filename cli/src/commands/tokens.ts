import type { Command } from 'commander';
import { Failure } from '../failure.ts';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor } from '../target.ts';

const UNITS: Record<string, number> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `12h`, `30d`, `2w` from now, as a time. */
const expiry = (text: string | undefined): string | null => {
  if (text === undefined) return null;
  const [, number = '', unit = ''] = /^(\d+)([hdw])$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? 0);
  if (ms === 0) throw new Failure(`--expires ${text}: write a number and h, d or w, such as 30d.`);
  return new Date(Date.now() + ms).toISOString();
};

const list = (text: string | undefined): string[] | undefined => text?.split(',').map((one) => one.trim());

type IssueOptions = { name?: string; expires?: string; servers?: string };

export const addTokens = (program: Command): void => {
  const tokens = program.command('tokens').description('service tokens');

  tokens
    .command('issue')
    .description('issue a token for a person or agent; it is shown once')
    .argument('<user>')
    .option('--name <name>', 'what it is for')
    .option('--expires <in>', 'such as 12h, 30d, 4w; default: never')
    .option('--servers <ids>', 'confine it to these servers, separated by commas')
    .action(async (userId: string, { name, expires, servers }: IssueOptions, command: Command) => {
      const options = command.optsWithGlobals();
      const only = list(servers);
      const issued = await (await clientFor(options)).tokens.issue({
        userId,
        ...(name && { name }),
        expiresAt: expiry(expires),
        scope: only ? { servers: only } : {},
      });
      if (options.json) return printJson(issued);
      printLine(issued.secret);
      console.error(`This token of ${userId} is shown this once (id ${issued.token.tokenId}).`);
    });

  tokens
    .command('list')
    .description('tokens, without their secrets')
    .argument('[user]')
    .action(async (userId: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const { tokens: all } = await (await clientFor(options)).tokens.list(userId ? { userId } : {});
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
    .option('--overlap <seconds>', 'how long the old one goes on', '3600')
    .action(async (tokenId: string, { overlap }: { overlap: string }, command: Command) => {
      const options = command.optsWithGlobals();
      const issued = await (await clientFor(options)).tokens.rotate({ tokenId, overlapSeconds: Number(overlap) });
      if (options.json) return printJson(issued);
      printLine(issued.secret);
      console.error(`The old token ends in ${overlap} s; this one is shown this once (id ${issued.token.tokenId}).`);
    });

  tokens
    .command('revoke')
    .description('revoke a token; its open streams end within a second')
    .argument('<id>')
    .action(async (tokenId: string, _options, command: Command) => {
      printLine((await (await clientFor(command.optsWithGlobals())).tokens.revoke({ tokenId })).message);
    });
};
