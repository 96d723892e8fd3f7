const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (id: unknown): boolean => id === null || typeof id === 'string' || typeof id === 'number';

const isError = (error: unknown): boolean =>
  isObject(error) && Number.isInteger(error.code) && typeof error.message === 'string';

/** Is it a JSON-RPC 2.0 request, notification or response? */
const isMessage = (value: unknown): boolean => {
  if (!isObject(value) || value.jsonrpc !== '2.0') return false;
  if (typeof value.method === 'string')
    return (!('id' in value) || isId(value.id)) && (value.params === undefined || isObject(value.params));
  if (!('id' in value) || !isId(value.id)) return false;
  return 'error' in value ? isError(value.error) && !('result' in value) : isObject(value.result);
};

/** How the HTTP application refuses what never gets to MCP. */
const isRefusal = (value: unknown): boolean =>
  isObject(value) && typeof value.error === 'string' && typeof value.message === 'string';

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export type Answer = { status: number; type: string; text: string; isWhole: boolean };

/** What is wrong with an answer over HTTP, or undefined. One that was cut off on purpose may end anywhere. */
export const problemOf = ({ status, type, text, isWhole }: Answer): string | undefined => {
  if (status >= 500 && status !== 503) return `HTTP ${status}: ${text.slice(0, 500)}`;
  if (text === '') return undefined;
  if (type.startsWith('application/json'))
    return isMessage(parsed(text)) || (status >= 400 && isRefusal(parsed(text)))
      ? undefined
      : `HTTP ${status} with a body that is no message: ${text.slice(0, 500)}`;
  if (!type.startsWith('text/event-stream'))
    return status >= 400 ? undefined : `HTTP ${status} with a body of type ${type}.`;
  const events = text.split('\n\n');
  const rest = events.pop() ?? '';
  if (isWhole && rest !== '') return `A stream that ends in the middle of an event: ${rest.slice(0, 500)}`;
  const bad = events.find((event) => {
    const content = /^data: (.*)$/m.exec(event)?.[1];
    return content === undefined ? !event.startsWith(':') : content !== '' && !isMessage(parsed(content));
  });
  return bad === undefined ? undefined : `An event that is no message: ${bad.slice(0, 500)}`;
};
