import { ExactNumber } from '#lib/exact-number';
import { isRequestId } from './ids.ts';

/** The keys that the protocol gives a meaning, where they stand. */
type Level = { readonly [key: string]: Level | true };

const META: Level = {
  progressToken: true,
  'io.modelcontextprotocol/protocolVersion': true,
  'io.modelcontextprotocol/clientInfo': true,
  'io.modelcontextprotocol/clientCapabilities': true,
  'io.modelcontextprotocol/logLevel': true,
  'io.modelcontextprotocol/subscriptionId': true,
  'io.modelcontextprotocol/related-task': true,
};
const PARAMS: Level = {
  _meta: META,
  name: true,
  arguments: true,
  uri: true,
  cursor: true,
  level: true,
  ref: { type: true, name: true, uri: true },
  argument: { name: true, value: true },
  context: { arguments: true },
  task: { ttl: true },
  taskId: true,
  requestId: true,
  reason: true,
  progressToken: true,
  progress: true,
  total: true,
  message: true,
  protocolVersion: true,
  capabilities: true,
  clientInfo: { name: true, version: true },
  notifications: true,
  inputResponses: true,
  requestState: true,
};
const MESSAGE: Level = { jsonrpc: true, id: true, method: true, params: PARAMS, result: true, error: true };

/** Equal for keys that some parser takes for one another: by case, and by the letters that fold to ASCII ones. */
const fold = (key: string): string => key.toUpperCase().toLowerCase();

const RESERVED = 'io.modelcontextprotocol/';

const folded = new Map<Level, ReadonlyMap<string, string>>();
const properOf = (level: Level): ReadonlyMap<string, string> => {
  const known = folded.get(level) ?? new Map(Object.keys(level).map((key) => [fold(key), key]));
  folded.set(level, known);
  return known;
};

/** How the protocol writes a key that is none of it as it stands, or undefined. */
const properKey = (key: string, level: Level): string | undefined => {
  const plain = fold(key);
  const proper = properOf(level).get(plain);
  if (proper !== undefined || level !== META) return proper;
  return plain.startsWith(RESERVED) && !key.startsWith(RESERVED) ? plain : undefined;
};

const oddKey = (value: unknown, level: Level, where: string): string | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const below = Object.hasOwn(level, key) ? level[key] : undefined;
    if (below === undefined) {
      const proper = properKey(key, level);
      if (proper === undefined) continue;
      return `The key ${JSON.stringify(where + key)} must be written ${JSON.stringify(where + proper)}: keys are told apart by case.`;
    }
    const odd = below === true ? undefined : oddKey(item, below, `${where}${key}.`);
    if (odd !== undefined) return odd;
  }
  return undefined;
};

/**
 * What is wrong with a message before its era is known, as a sentence, or undefined. A key of the protocol in another
 * case is refused, because a server behind that does not mind case would read something else than was judged here.
 */
export const envelopeFault = (body: unknown): string | undefined => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const odd = oddKey(body, MESSAGE, '');
  if (odd !== undefined) return odd;
  if ('id' in body && body.id !== null && !isRequestId(body.id)) return 'The id must be a string or an integer.';
  return 'params' in body && body.params instanceof ExactNumber ? 'The params must be an object.' : undefined;
};
