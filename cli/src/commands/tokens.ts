import type { Command } from 'commander';
import { duration, wholeNumber } from '../arguments.ts';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor } from '../target.ts';

const list = (text: string | undefined): string[] | undefined => text?.split(',').map((one) => one.trim());

type IssueOptions = { name?: string; expires?: number; servers?: string; endpoints?: string };

export const addTokens = (program: Command): void => {
  const tokens = program.command('tokens').description('service tokens');

  tokens
    .command('issue')
    .description('issue a token for a person or agent; it is shown once')
    .argument('<user>')
    .option('--name <name>', 'what it is for')
    .option('--expires <in>', 'such as 12h, 30d, 4w; default: never', duration)
    .option('--servers <ids>', 'confine it to these servers, separated by commas')
    .option('--endpoints <paths>', 'confine it to these, such as /mcp/e/research, separated by commas')
    .action(async (userId: string, { name, expires, servers, endpoints }: IssueOptions, command: Command) => {
      const options = command.optsWithGlobals();
      const scope = { servers: list(servers), endpoints: list(endpoints) };
      const issued = await (await clientFor(options)).tokens.issue({
        userId,
        ...(name && { name }),
        expiresAt: expires === undefined ? null : new Date(Date.now() + expires).toISOString(),
        scope,
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
