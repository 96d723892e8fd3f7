import type { Command } from 'commander';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor, type TargetOptions } from '../target.ts';

type Options = TargetOptions & { json?: boolean };

export const addRoles = (program: Command): void => {
  const roles = program.command('roles').description('what some users may do besides what every user may');

  roles
    .command('add')
    .description('make a role: peta roles add operator servers.list servers.stop')
    .argument('<id>')
    .argument('<operation...>', 'names, as "peta roles operations" lists them')
    .option('--name <name>', 'a name for people')
    .action(async (roleId: string, operations: string[], _options, command: Command) => {
      const { name, json, ...target } = command.optsWithGlobals<Options & { name?: string }>();
      const { role } = await (await clientFor(target)).roles.create({ roleId, operations, ...(name && { name }) });
      if (json) printJson(role);
      else printLine(`${roleId} was made. Next: peta users role <user> ${roleId}`);
    });

  roles
    .command('list')
    .description('roles of the workspace')
    .action(async (_options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const { roles: all } = await (await clientFor(target)).roles.list({});
      if (json) return printJson(all);
      if (all.length === 0) return printLine('No roles but auditor, which is built in.');
      printTable(
        ['ID', 'NAME', 'OPERATIONS'],
        all.map((one) => [one.roleId, one.name, one.operations.join(', ')]),
      );
    });

  roles
    .command('operations')
    .description('every operation by name, and whom it is for')
    .action(async (_options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const { operations } = await (await clientFor(target)).roles.operations({});
      if (json) return printJson(operations);
      printTable(
        ['NAME', 'FOR', 'IN A ROLE', 'WHAT IT DOES'],
        operations.map((one) => [one.name, one.guard, one.isAssignable ? 'yes' : 'no', one.summary]),
      );
    });

  roles
    .command('remove')
    .description('remove a role and take it from its holders')
    .argument('<id>')
    .action(async (roleId: string, _options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const done = await (await clientFor(target)).roles.remove({ roleId });
      if (json) printJson(done);
      else printLine(done.message);
    });
};
