import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import { Failure, Misuse } from '../failure.ts';
import { plain, printJson, printLine, printTable } from '../print.ts';
import { findTarget, reachable, type TargetOptions, TOKEN_ADVICE } from '../target.ts';
import { version } from '../version.ts';

type Options = TargetOptions & { json?: boolean; timeout: number };

const UNAUTHORIZED = 401;

/** `fetch`, with a sentence for when Peta does not answer or does not know the token. */
const sentences =
  (url: string): typeof fetch =>
  async (input, init) => {
    const response = await reachable(url)(input, init);
    if (response.status === UNAUTHORIZED) throw new Failure(`Peta does not take this token. ${TOKEN_ADVICE}`);
    return response;
  };

const withClient = async <T>(options: TargetOptions, use: (client: Client) => Promise<T>): Promise<T> => {
  const { url, mcpUrl, token } = await findTarget(options);
  const client = new Client({ name: 'peta-cli', version }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), {
    requestInit: { headers },
    fetch: sentences(url),
  });
  await client.connect(transport);
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
  throw new Misuse(`The arguments must be a JSON object, such as '{"message": "hello"}'.`);
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
    .option('--timeout <seconds>', 'give up when the tool neither answers nor reports progress', wholeNumber, 300)
    .action(async (server: string, tool: string | undefined, text: string | undefined, _options, command: Command) => {
      const { json, timeout, ...target } = command.optsWithGlobals<Options>();
      const given = parseArguments(text);
      await withClient(target, async (client) => {
        if (tool === undefined) return listTools(client, server, json);
        const patience = { timeout: timeout * 1_000, resetTimeoutOnProgress: true, onprogress: () => {} };
        const result = await client.callTool({ name: `${server}::${tool}`, arguments: given }, patience);
        if (json) printJson(result);
        else
          for (const block of result.content)
            printLine(block.type === 'text' ? plain(block.text) : JSON.stringify(block).slice(0, 2_000));
        if (result.isError) process.exitCode = 1;
      });
    });
};
