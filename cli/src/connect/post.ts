/** Peta answered with an HTTP error that carries no JSON-RPC message of its own, or with a lost session. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Post = (
  message: unknown,
  options: { sessionId: string | undefined; onMessage: (message: unknown) => void },
) => Promise<{ sessionId: string | undefined }>;

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const NOT_FOUND = 404;

type Body = {
  id?: unknown;
  method?: unknown;
  params?: { name?: unknown; uri?: unknown; _meta?: Record<string, unknown> };
};

const isPlain = (text: string): boolean =>
  /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?');

/** Streamable HTTP of 2026-07-28 repeats parts of the body in headers; earlier revisions have none of them. */
const headersOf = (message: unknown): Record<string, string> => {
  const { method, params } = (message ?? {}) as Body;
  const version = params?._meta?.[VERSION_KEY];
  if (typeof version !== 'string' || typeof method !== 'string') return {};
  const name =
    method === 'resources/read'
      ? params?.uri
      : method === 'tools/call' || method === 'prompts/get'
        ? params?.name
        : undefined;
  const encoded = (text: string) => (isPlain(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`);
  return {
    'mcp-protocol-version': version,
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': encoded(name) }),
  };
};

/** The messages of an event stream, as they come. */
export const readEvents = async (response: Response, onMessage: (message: unknown) => void): Promise<void> => {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split(/\r?\n\r?\n/);
    text = events.pop() ?? '';
    for (const event of events) {
      const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
      if (lines.length > 0) onMessage(JSON.parse(lines.map((line) => line.slice(5).trimStart()).join('\n')));
    }
  }
};

const failure = async (
  response: Response,
  isRequest: boolean,
  onMessage: (message: unknown) => void,
): Promise<void> => {
  const body = (await response.json().catch(() => undefined)) as
    | { id?: unknown; error?: { message?: string } }
    | undefined;
  // An error for this very request is the client's to see; the rest is ours to explain.
  if (isRequest && response.status !== NOT_FOUND && body?.error && body.id !== null) return onMessage(body);
  const isMethodUnknown =
    response.status === NOT_FOUND &&
    body?.error &&
    body.id !== null &&
    'code' in body.error &&
    body.error.code === -32601;
  if (isMethodUnknown) return onMessage(body);
  throw new CallFailed(response.status, body?.error?.message ?? `Peta answered ${response.status}.`);
};

/** Posts messages to one MCP endpoint. Rejects with `CallFailed`, or when Peta cannot be reached. */
export const createPost =
  (mcpUrl: string, token: string | undefined): Post =>
  async (message, { sessionId, onMessage }) => {
    const isRequest = (message as Body).id !== undefined;
    const response = await fetch(mcpUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(token && { authorization: `Bearer ${token}` }),
        ...(sessionId && { 'mcp-session-id': sessionId }),
        ...headersOf(message),
      },
      body: JSON.stringify(message),
    }).catch(() => {
      throw new CallFailed(0, `Peta does not answer at ${mcpUrl}.`);
    });
    if (!response.ok) await failure(response, isRequest, onMessage);
    else if (response.headers.get('content-type')?.startsWith('text/event-stream'))
      await readEvents(response, onMessage);
    else if (response.status === 200) onMessage(await response.json());
    return { sessionId: response.headers.get('mcp-session-id') ?? undefined };
  };
