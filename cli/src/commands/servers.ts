import type { Client, Server } from '@peta/api';
import { type Command, Option } from 'commander';
import { wholeNumber } from '../arguments.ts';
import { Failure } from '../failure.ts';
import { plain, printJson, printLine, printTable } from '../print.ts';
import { clientFor, type TargetOptions } from '../target.ts';
import { type LaunchOptions, launchConfig } from './launch-config.ts';

const STATUS = ['online', 'offline', 'connecting', 'error', 'sleeping'] as const;
const READY_MS = 90_000;
const ONLINE = 0;
const CONNECTING = 2;
const SLEEPING = 4;

type AddOptions = LaunchOptions & { name?: string; public?: boolean; environment?: string };

const collect = (value: string, all: string[]): string[] => [...all, value];

/** Waits until a server is up or has failed, and says which. */
const settled = async (api: Client, serverId: string): Promise<Server> => {
  for (const deadline = Date.now() + READY_MS; ; ) {
    const { server } = await api.servers.get({ serverId });
    if ((server.status !== CONNECTING && server.status !== SLEEPING) || Date.now() > deadline) return server;
    await new Promise((done) => setTimeout(done, 200));
  }
};

/** Says how a server came up. Throws with the reason, after its last lines, when it did not. */
const reportReady = async (api: Client, serverId: string, json: boolean | undefined): Promise<void> => {
  const server = await settled(api, serverId);
  if (json) printJson(server);
  if (server.status === ONLINE) {
    const { capabilities } = await api.capabilities.ofServer({ serverId });
    const count = (kind: 'tools' | 'resources' | 'prompts') => `${Object.keys(capabilities[kind]).length} ${kind}`;
    if (!json) printLine(`${serverId} is online: ${count('tools')}, ${count('resources')}, ${count('prompts')}.`);
    return;
  }
  const { lines } = await api.servers.logs({ serverId, limit: 10 });
  for (const { text } of lines) console.error(`  ${plain(text)}`);
  const reason = server.statusReason ?? `It is ${STATUS[server.status]}.`;
  throw new Failure(`${serverId} is registered but not online. ${reason} "peta servers logs ${serverId}" shows more.`);
};

export const addServers = (program: Command): void => {
  const servers = program.command('servers').description('the MCP servers behind Peta');

  servers
    .command('add')
    .description('register a server: peta servers add files -- npx -y @modelcontextprotocol/server-filesystem .')
    .argument('<id>', 'its name, the first part of its tools’ names')
    .argument('[command...]', 'what to run, after "--"')
    .option('--http <url>', 'reach it over Streamable HTTP')
    .option('--sse <url>', 'reach it over HTTP+SSE')
    .option('--header <"Name: value">', 'send this header with each request', collect, [])
    .option('--env <NAME[=value]>', 'set this variable; without a value, pass on the one set here', collect, [])
    .option('--cwd <folder>', 'run the command there')
    .option('--name <name>', 'a name for people')
    .option('--environment <id>', 'the environment it belongs to; without one, all')
    .option('--public', 'everybody with a token may use it')
    .addOption(new Option('--protocol <era>', 'which to speak').choices(['auto', 'legacy', 'modern']).default('auto'))
    .action(async (serverId: string, words: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<AddOptions & TargetOptions & { json?: boolean }>();
      const api = await clientFor(options);
      const { server } = await api.servers.create({
        serverId,
        launchConfig: launchConfig(words, options),
        ...(options.name && { serverName: options.name }),
        ...(options.environment && { environment: options.environment }),
        publicAccess: options.public ?? false,
      });
      await reportReady(api, server.serverId, options.json);
    });

  servers
    .command('list')
    .description('servers and how they are')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals();
      const { servers: all } = await (await clientFor(options)).servers.list({});
      if (options.json) return printJson(all);
      if (all.length === 0)
        return printLine(
          'No servers yet. Add one: peta servers add files -- npx -y @modelcontextprotocol/server-filesystem .',
        );
      printTable(
        ['ID', 'STATUS', 'TRANSPORT', 'ENVIRONMENT', 'PUBLIC', 'REASON'],
        all.map((s) => [
          s.serverId,
          STATUS[s.status],
          s.transport,
          s.environment ?? 'all',
          s.publicAccess ? 'yes' : 'no',
          s.statusReason ?? '',
        ]),
      );
    });

  servers
    .command('remove')
    .description('stop and remove a server')
    .argument('<id>')
    .action(async (serverId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const done = await (await clientFor(options)).servers.remove({ serverId });
      if (options.json) printJson(done);
      else printLine(done.message);
    });

  servers
    .command('start')
    .description('enable and start a server')
    .argument('<id>')
    .action(async (serverId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const api = await clientFor(options);
      await api.servers.start({ serverId });
      await reportReady(api, serverId, options.json);
    });

  servers
    .command('stop')
    .description('stop and disable a server')
    .argument('<id>')
    .action(async (serverId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const { server } = await (await clientFor(options)).servers.stop({ serverId });
      if (options.json) printJson(server);
      else printLine(`${serverId} is stopped.`);
    });

  servers
    .command('logs')
    .description('the last lines a server wrote, and what Peta noted')
    .argument('<id>')
    .option('--limit <lines>', 'how many', wholeNumber, 100)
    .action(async (serverId: string, { limit }: { limit: number }, command: Command) => {
      const options = command.optsWithGlobals();
      const { lines } = await (await clientFor(options)).servers.logs({ serverId, limit });
      if (options.json) return printJson(lines);
      for (const { at, source, text } of lines) printLine(`${at} ${source.padEnd(6)} ${plain(text)}`);
    });
};
