import type { Command } from 'commander';
import { printJson, printLine } from '../print.ts';
import { clientFor } from '../target.ts';

export const addSetupLink = (program: Command): void => {
  program
    .command('setup-link')
    .description('make a one-time link by which the owner begins, or gets back in')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals();
      const link = await (await clientFor(options)).setup.link({});
      if (options.json) return printJson(link);
      printLine(link.setupLink);
      printLine(`Works once, until ${link.expiresAt}. Earlier links have ended.`);
    });
};
