import type { Endpoint } from '@peta/api';
import { type Command, Option } from 'commander';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor, type TargetOptions } from '../target.ts';
import { readSelection } from './selection.ts';

type AddOptions = TargetOptions & {
  json?: boolean;
  description?: string;
  style?: Endpoint['nameStyle'];
  anonymous?: boolean;
  selection?: string;
};

export const addEndpoints = (program: Command): void => {
  const endpoints = program.command('endpoints').description('selections of servers at addresses of their own');

  endpoints
    .command('add')
    .description('make an endpoint: peta endpoints add research files:read_file github')
    .argument('<name>', 'the last part of its address')
    .argument('[server[:tool,tool]...]', 'what it shows, in this order')
    .option('--description <text>', 'what it is for')
    .option('--anonymous', 'anybody may use it, without a token')
    .option('--selection <file>', 'what it shows, as JSON: also resources, prompts, renamed tools, fixed arguments')
    .addOption(new Option('--style <style>', 'how names are shown').choices(['safe', 'colons', 'none']))
    .action(async (name: string, words: string[], _options, command: Command) => {
      const { description, style, anonymous, selection, json, ...target } = command.optsWithGlobals<AddOptions>();
      const chosen = await readSelection(words, selection);
      const api = await clientFor(target);
      const { endpoint } = await api.endpoints.create({
        name,
        selection: chosen,
        ...(description !== undefined && { description }),
        ...(style && { nameStyle: style }),
        ...(anonymous && { anonymous }),
      });
      if (json) printJson(endpoint);
      else printLine(`${name} is at ${endpoint.path}${anonymous ? ', for anybody' : ''}.`);
    });

  endpoints
    .command('list')
    .description('endpoints and what they show')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals();
      const { endpoints: all } = await (await clientFor(options)).endpoints.list({});
      if (options.json) return printJson(all);
      if (all.length === 0) return printLine('No endpoints yet. Add one: peta endpoints add research files');
      printTable(
        ['NAME', 'PATH', 'ON', 'FOR', 'STYLE', 'SERVERS', 'NOTES'],
        all.map((one) => [
          one.name,
          one.path,
          one.enabled ? 'yes' : 'no',
          one.anonymous ? 'anybody' : 'tokens',
          one.nameStyle,
          one.selection.map(({ serverId }) => serverId).join(','),
          one.notes.join(' '),
        ]),
      );
    });

  endpoints
    .command('remove')
    .description('remove an endpoint; what is open there ends')
    .argument('<name>')
    .action(async (name: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const done = await (await clientFor(options)).endpoints.remove({ name });
      if (options.json) printJson(done);
      else printLine(done.message);
    });
};
