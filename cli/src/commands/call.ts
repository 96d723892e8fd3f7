import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Command } from 'commander';
import { Failure } from '../failure.ts';
import { plain, printJson, printLine, printTable } from '../print.ts';
import { findTarget, type TargetOptions } from '../target.ts';
import { version } from '../version.ts';

const withClient = async <T>(options: TargetOptions, use: (client: Client) => Promise<T>): Promise<T> => {
  const { mcpUrl, token } = await findTarget(options);
  const client = new Client({ name: 'peta-cli', version }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(mcpUrl), { requestInit: { headers } }));
  try {
    return await use(client);
  } finally {
    await client.close();
  }
};

const parseArguments = (text: string | undefined): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below, with the other ways of being no object.
  }
  throw new Failure(`The arguments must be a JSON object, such as '{"message": "hello"}'.`);
};

const listTools = async (client: Client, server: string, json: boolean | undefined): Promise<void> => {
  const { tools } = await client.listTools();
  const own = tools.filter(({ name }) => name.startsWith(`${server}__`) || name.startsWith(`${server}::`));
  if (json) return printJson(own);
  if (own.length === 0)
    throw new Failure(`No tool of a server "${server}" is visible. "peta servers list" shows the servers.`);
  printTable(
    ['TOOL', 'DESCRIPTION'],
    own.map(({ name, description }) => [
      name.slice(server.length + 2),
      (description ?? '').split('\n')[0]?.slice(0, 100) ?? '',
    ]),
  );
};

export const addCall = (program: Command): void => {
  program
    .command('call')
    .description('call a tool; without a tool, list those of the server')
    .argument('<server>')
    .argument('[tool]')
    .argument('[json]', 'its arguments')
    .action(async (server: string, tool: string | undefined, text: string | undefined, _options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals();
      await withClient(target, async (client) => {
        if (tool === undefined) return listTools(client, server, json);
        const result = await client.callTool({ name: `${server}::${tool}`, arguments: parseArguments(text) });
        if (json) printJson(result);
        else
          for (const block of result.content)
            printLine(block.type === 'text' ? plain(block.text) : JSON.stringify(block).slice(0, 2_000));
        if (result.isError) process.exitCode = 1;
      });
    });
};
