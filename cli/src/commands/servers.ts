import type { Client, Server } from '@peta/api';
import type { Command } from 'commander';
import { Failure } from '../failure.ts';
import { plain, printJson, printLine, printTable } from '../print.ts';
import { clientFor, type TargetOptions } from '../target.ts';

const STATUS = ['online', 'offline', 'connecting', 'error', 'sleeping'] as const;
const READY_MS = 90_000;
const CONNECTING = 2;

type AddOptions = {
  http?: string;
  sse?: string;
  header: string[];
  env: string[];
  cwd?: string;
  name?: string;
  public?: boolean;
  protocol: 'auto' | 'legacy' | 'modern';
};

const collect = (value: string, all: string[]): string[] => [...all, value];

/** `NAME=value`, or `NAME` alone for the value this command sees: then it is in no process list. */
const environment = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      const name = at < 0 ? pair : pair.slice(0, at);
      const value = at < 0 ? process.env[name] : pair.slice(at + 1);
      if (value === undefined)
        throw new Failure(`--env ${name}: there is no such variable here; give ${name}=value or export it first.`);
      return [name, value];
    }),
  );

const headers = (lines: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      if (at < 1) throw new Failure(`--header "${line}": write it as "Name: value".`);
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );

const launchConfig = (command: readonly string[], options: AddOptions) => {
  const given = [options.http, options.sse, command[0]].filter((one) => one !== undefined);
  if (given.length !== 1)
    throw new Failure('Say how to reach the server in one way: --http, --sse, or a command after "--".');
  const mcpProtocol = options.protocol;
  if (options.http) return { type: 'http' as const, url: options.http, headers: headers(options.header), mcpProtocol };
  if (options.sse) return { type: 'sse' as const, url: options.sse, headers: headers(options.header), mcpProtocol };
  const [program = '', ...args] = command;
  const env = environment(options.env);
  return { type: 'stdio' as const, command: program, args, env, mcpProtocol, ...(options.cwd && { cwd: options.cwd }) };
};

/** Waits until a server is up or has failed, and says which. */
const settled = async (api: Client, serverId: string): Promise<Server> => {
  for (const deadline = Date.now() + READY_MS; ; ) {
    const { server } = await api.servers.get({ serverId });
    if ((server.status !== CONNECTING && server.status !== 4) || Date.now() > deadline) return server;
    await new Promise((done) => setTimeout(done, 200));
  }
};

const reportReady = async (api: Client, serverId: string): Promise<void> => {
  const server = await settled(api, serverId);
  if (server.status === 0) {
    const { capabilities } = await api.capabilities.ofServer({ serverId });
    const count = (kind: 'tools' | 'resources' | 'prompts') => `${Object.keys(capabilities[kind]).length} ${kind}`;
    return printLine(`${serverId} is online: ${count('tools')}, ${count('resources')}, ${count('prompts')}.`);
  }
  const { lines } = await api.servers.logs({ serverId, limit: 10 });
  for (const { text } of lines) console.error(`  ${plain(text)}`);
  const reason = server.statusReason ?? `It is ${STATUS[server.status]}.`;
  throw new Failure(
    `${serverId} was registered but is not online. ${reason} "peta servers logs ${serverId}" shows more.`,
  );
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
    .option('--public', 'everybody with a token may use it')
    .option('--protocol <era>', 'auto, legacy or modern', 'auto')
    .action(async (serverId: string, words: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<AddOptions & TargetOptions & { json?: boolean }>();
      const api = await clientFor(options);
      const { server } = await api.servers.create({
        serverId,
        launchConfig: launchConfig(words, options),
        ...(options.name && { serverName: options.name }),
        publicAccess: options.public ?? false,
      });
      if (options.json) return printJson(await settled(api, server.serverId));
      await reportReady(api, serverId);
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
        ['ID', 'STATUS', 'TRANSPORT', 'PUBLIC', 'REASON'],
        all.map((s) => [
          s.serverId,
          STATUS[s.status],
          s.transport,
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
      const api = await clientFor(command.optsWithGlobals());
      await api.servers.start({ serverId });
      await reportReady(api, serverId);
    });

  servers
    .command('stop')
    .description('stop and disable a server')
    .argument('<id>')
    .action(async (serverId: string, _options, command: Command) => {
      await (await clientFor(command.optsWithGlobals())).servers.stop({ serverId });
      printLine(`${serverId} is stopped.`);
    });

  servers
    .command('logs')
    .description('the last lines a server wrote, and what Peta noted')
    .argument('<id>')
    .option('--limit <lines>', 'how many', '100')
    .action(async (serverId: string, { limit }: { limit: string }, command: Command) => {
      const options = command.optsWithGlobals();
      const { lines } = await (await clientFor(options)).servers.logs({ serverId, limit });
      if (options.json) return printJson(lines);
      for (const { at, source, text } of lines) printLine(`${at} ${source.padEnd(6)} ${plain(text)}`);
    });
};
