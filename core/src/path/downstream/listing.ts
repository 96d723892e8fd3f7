import type { Definition, Json, JsonObject, Listing } from '#call';
import type { Connection } from './connection.ts';
import { RpcError } from './errors.ts';
import { takesTasks } from './tasks/wish.ts';

const MAX_PAGES = 64;
const MAX_ENTRIES = 10_000;
const METHOD_NOT_FOUND = -32601;

const isDefinition = (value: Json): value is Definition =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const endless = (method: string): Error =>
  new Error(`The server's answers to ${method} do not end: more than ${MAX_PAGES} pages or ${MAX_ENTRIES} entries.`);

/** All pages of one list. Throws when the server does not answer with one. */
export const collect = async (
  { request }: Pick<Connection, 'request'>,
  method: string,
  key: string,
  timeoutMs: number,
): Promise<Definition[]> => {
  const entries: Definition[] = [];
  let cursor: Json | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const params: JsonObject = cursor === undefined ? {} : { cursor };
    const result = await request(method, params, { timeoutMs });
    const list = result[key];
    if (!Array.isArray(list)) throw new Error(`The server answered ${method} without a list of ${key}.`);
    if (entries.length + list.length > MAX_ENTRIES) throw endless(method);
    entries.push(...list.filter(isDefinition));
    cursor = result.nextCursor;
    if (cursor === undefined || cursor === null) return entries;
  }
  throw endless(method);
};

/** A server that announces a kind need not know every list of it. */
const noneIfUnknown = (error: unknown): Definition[] => {
  if (error instanceof RpcError && error.code === METHOD_NOT_FOUND) return [];
  throw error;
};

/** A server that may make a task of any call says so of itself, not of each tool; older clients look at the tool. */
const withTaskSupport = (tool: Definition): Definition =>
  tool.execution === undefined ? { ...tool, execution: { taskSupport: 'optional' } } : tool;

/** Everything the server says it has, all pages, as it says it. Throws when a list it announced cannot be had. */
export const collectListing = async (
  connection: Pick<Connection, 'capabilities' | 'isStateless' | 'request'>,
  timeoutMs: number,
): Promise<Listing> => {
  const list = async (kind: 'tools' | 'prompts' | 'resources', method: string, key: string) =>
    connection.capabilities[kind] === undefined ? [] : collect(connection, method, key, timeoutMs).catch(noneIfUnknown);
  const [tools, prompts, resources, templates] = await Promise.all([
    list('tools', 'tools/list', 'tools'),
    list('prompts', 'prompts/list', 'prompts'),
    list('resources', 'resources/list', 'resources'),
    list('resources', 'resources/templates/list', 'resourceTemplates'),
  ]);
  const isForTasks = connection.isStateless && takesTasks(connection);
  return { tools: isForTasks ? tools.map(withTaskSupport) : tools, prompts, resources, templates };
};
