import type { Command } from 'commander';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor } from '../target.ts';

export const addEnvironments = (program: Command): void => {
  const environments = program
    .command('environments')
    .description('parts of a workspace that servers belong to, such as production and staging');

  environments
    .command('add')
    .description('make an environment')
    .argument('<id>')
    .option('--name <name>', 'a name for people')
    .action(async (environmentId: string, _options, command: Command) => {
      const { name, json, ...target } = command.optsWithGlobals();
      const api = await clientFor(target);
      const { environment } = await api.environments.create({ environmentId, ...(name && { name }) });
      if (json) printJson(environment);
      else printLine(`${environmentId} is there: peta servers add <id> --environment ${environmentId} …`);
    });

  environments
    .command('list')
    .description('environments and the servers that belong to them')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals();
      const { environments: all } = await (await clientFor(options)).environments.list({});
      if (options.json) return printJson(all);
      if (all.length === 0) return printLine('No environments yet. Add one: peta environments add staging');
      printTable(
        ['ID', 'NAME', 'SERVERS'],
        all.map((one) => [one.environmentId, one.name, one.servers.join(',')]),
      );
    });

  environments
    .command('rename')
    .description('give an environment another name; its id stays')
    .argument('<id>')
    .argument('<name>')
    .action(async (environmentId: string, name: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const { environment } = await (await clientFor(options)).environments.rename({ environmentId, name });
      if (options.json) printJson(environment);
      else printLine(`${environmentId} is called ${environment.name} now.`);
    });

  environments
    .command('remove')
    .description('remove an environment to which no server belongs any more')
    .argument('<id>')
    .action(async (environmentId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const done = await (await clientFor(options)).environments.remove({ environmentId });
      if (options.json) printJson(done);
      else printLine(done.message);
    });
};
