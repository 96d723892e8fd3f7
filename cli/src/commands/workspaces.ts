import type { Command } from 'commander';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor } from '../target.ts';

export const addWorkspaces = (program: Command): void => {
  const workspaces = program.command('workspaces').description('tenants of this Peta, which see nothing of each other');

  workspaces
    .command('add')
    .description('make a workspace, and a one-time link with which its owner begins')
    .argument('<id>')
    .option('--name <name>', 'a name for people')
    .action(async (workspaceId: string, _options, command: Command) => {
      const { name, json, ...target } = command.optsWithGlobals();
      const made = await (await clientFor(target)).workspaces.create({ workspaceId, ...(name && { name }) });
      if (json) return printJson(made);
      printLine(`The workspace ${workspaceId} is there. Its owner begins here, once, before ${made.expiresAt}:`);
      printLine(made.setupLink);
    });

  workspaces
    .command('list')
    .description('workspaces of this Peta')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals();
      const { workspaces: all } = await (await clientFor(options)).workspaces.list({});
      if (options.json) return printJson(all);
      printTable(
        ['ID', 'NAME', 'OWNER', 'SINCE'],
        all.map((one) => [one.workspaceId, one.name, one.hasOwner ? 'yes' : 'not yet', one.createdAt.slice(0, 10)]),
      );
    });

  workspaces
    .command('rename')
    .description('give a workspace another name; its id stays')
    .argument('<id>')
    .argument('<name>')
    .action(async (workspaceId: string, name: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const { workspace } = await (await clientFor(options)).workspaces.update({ workspaceId, name });
      if (options.json) printJson(workspace);
      else printLine(`${workspaceId} is called ${workspace.name} now.`);
    });

  workspaces
    .command('setup-link')
    .description('a new one-time link for the owner of a workspace; earlier ones end')
    .argument('<id>')
    .action(async (workspaceId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const link = await (await clientFor(options)).workspaces.link({ workspaceId });
      if (options.json) printJson(link);
      else printLine(link.setupLink);
    });

  workspaces
    .command('remove')
    .description('remove a workspace with everything in it')
    .argument('<id>')
    .action(async (workspaceId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const done = await (await clientFor(options)).workspaces.remove({ workspaceId });
      if (options.json) printJson(done);
      else printLine(done.message);
    });
};
