import type { Definition, Freshness, Json, JsonObject, Listing, ListName } from '#call';
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

type List = { entries: Definition[]; freshness: Freshness };

/** What a page says of how long it holds; one that says nothing holds for no time. */
const freshnessOf = ({ ttlMs, cacheScope }: JsonObject): Freshness => ({
  ttlMs: typeof ttlMs === 'number' && ttlMs > 0 ? Math.floor(ttlMs) : 0,
  cacheScope: cacheScope === 'public' ? 'public' : 'private',
});

/** All pages hold as long as the one that holds shortest. */
const shorter = (one: Freshness | undefined, other: Freshness): Freshness => ({
  ttlMs: Math.min(one?.ttlMs ?? other.ttlMs, other.ttlMs),
  cacheScope: one?.cacheScope === 'private' ? 'private' : other.cacheScope,
});

/** All pages of one list, and how long it holds. Throws when the server does not answer with one. */
const collectList = async (
  { request }: Pick<Connection, 'request'>,
  method: string,
  key: string,
  timeoutMs: number,
  clientCapabilities?: JsonObject,
): Promise<List> => {
  const entries: Definition[] = [];
  let freshness: Freshness | undefined;
  let cursor: Json | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const params: JsonObject = cursor === undefined ? {} : { cursor };
    const result = await request(method, params, { timeoutMs, clientCapabilities });
    const list = result[key];
    if (!Array.isArray(list)) throw new Error(`The server answered ${method} without a list of ${key}.`);
    if (entries.length + list.length > MAX_ENTRIES) throw endless(method);
    entries.push(...list.filter(isDefinition));
    freshness = shorter(freshness, freshnessOf(result));
    cursor = result.nextCursor;
    if (cursor === undefined || cursor === null) return { entries, freshness };
  }
  throw endless(method);
};

/** All entries of one list. Throws when the server does not answer with one. */
export const collect = async (...list: Parameters<typeof collectList>): Promise<Definition[]> =>
  (await collectList(...list)).entries;

/** A server that announces a kind need not know every list of it. */
const noneIfUnknown = (error: unknown): undefined => {
  if (error instanceof RpcError && error.code === METHOD_NOT_FOUND) return undefined;
  throw error;
};

/** A server that may make a task of any call says so of itself, not of each tool; older clients look at the tool. */
const withTaskSupport = (tool: Definition): Definition =>
  tool.execution === undefined ? { ...tool, execution: { taskSupport: 'optional' } } : tool;

const LISTS: Readonly<Record<ListName, { kind: string; method: string; key: string }>> = {
  tools: { kind: 'tools', method: 'tools/list', key: 'tools' },
  prompts: { kind: 'prompts', method: 'prompts/list', key: 'prompts' },
  resources: { kind: 'resources', method: 'resources/list', key: 'resources' },
  templates: { kind: 'resources', method: 'resources/templates/list', key: 'resourceTemplates' },
};

/**
 * Everything the server says it has, all pages, as it says it, with what it declares of itself. Throws when a list it
 * announced cannot be had. With `clientCapabilities` a server that keeps nothing is asked as for such a client.
 */
export const collectListing = async (
  connection: Pick<Connection, 'capabilities' | 'isStateless' | 'request'>,
  timeoutMs: number,
  clientCapabilities?: JsonObject,
): Promise<Listing> => {
  const { capabilities } = connection;
  const list = async (name: ListName): Promise<List | undefined> => {
    const { kind, method, key } = LISTS[name];
    if (capabilities[kind] === undefined) return undefined;
    return collectList(connection, method, key, timeoutMs, clientCapabilities).catch(noneIfUnknown);
  };
  const names: readonly ListName[] = ['tools', 'prompts', 'resources', 'templates'];
  const [tools, prompts, resources, templates] = await Promise.all([
    list('tools'),
    list('prompts'),
    list('resources'),
    list('templates'),
  ]);
  const isForTasks = connection.isStateless && takesTasks(connection);
  const lists = { tools, prompts, resources, templates };
  return {
    tools: isForTasks ? (tools?.entries ?? []).map(withTaskSupport) : (tools?.entries ?? []),
    prompts: prompts?.entries ?? [],
    resources: resources?.entries ?? [],
    templates: templates?.entries ?? [],
    capabilities,
    freshness: Object.fromEntries(names.flatMap((name) => (lists[name] ? [[name, lists[name].freshness]] : []))),
  };
};
