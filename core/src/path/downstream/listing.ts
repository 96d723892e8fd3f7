import type { Definition, Json, JsonObject, Listing } from '#call';
import type { Connection } from './connection.ts';

const MAX_PAGES = 64;
const MAX_ENTRIES = 10_000;

const isDefinition = (value: Json): value is Definition =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const collect = async (
  { request }: Connection,
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
    entries.push(...list.filter(isDefinition));
    cursor = result.nextCursor;
    if (cursor === undefined || cursor === null) return entries;
    if (entries.length > MAX_ENTRIES) break;
  }
  throw new Error(
    `The server's answers to ${method} do not end: more than ${MAX_PAGES} pages or ${MAX_ENTRIES} entries.`,
  );
};

/** Everything the server says it has, all pages, as it says it. Throws when a list it announced cannot be had. */
export const collectListing = async (connection: Connection, timeoutMs: number): Promise<Listing> => {
  const has = (kind: string) => connection.capabilities[kind] !== undefined;
  const list = (kind: string, method: string, key: string) =>
    has(kind) ? collect(connection, method, key, timeoutMs) : Promise.resolve([]);
  const [tools, prompts, resources, templates] = await Promise.all([
    list('tools', 'tools/list', 'tools'),
    list('prompts', 'prompts/list', 'prompts'),
    list('resources', 'resources/list', 'resources'),
    // Servers that have resources need not know templates.
    list('resources', 'resources/templates/list', 'resourceTemplates').catch(() => []),
  ]);
  return { tools, prompts, resources, templates };
};
