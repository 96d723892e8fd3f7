import type { Command } from 'commander';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor } from '../target.ts';

export const addConsents = (program: Command): void => {
  const consents = program.command('consents').description('what people allowed OAuth clients');

  consents
    .command('list')
    .description('who allowed which client what')
    .argument('[user]')
    .action(async (userId: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const { consents: all } = await (await clientFor(options)).consents.list(userId ? { userId } : {});
      if (options.json) return printJson(all);
      printTable(
        ['ID', 'USER', 'CLIENT', 'SCOPES', 'FOR', 'SINCE', 'UNTIL'],
        all.map((one) => [
          one.consentId,
          one.userId,
          one.clientName ?? one.clientId,
          one.scopes.join(' '),
          one.resources.join(' '),
          one.createdAt,
          one.expiresAt ?? 'never',
        ]),
      );
    });

  consents
    .command('revoke')
    .description("take it back; the client's tokens and open streams end within a second")
    .argument('<id>')
    .action(async (consentId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const done = await (await clientFor(options)).consents.revoke({ consentId });
      if (options.json) printJson(done);
      else printLine(done.message);
    });
};
