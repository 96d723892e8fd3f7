import { isRequest, type Message, readMessage, statedVersion } from './message.ts';

/**
 * `gone`: the session is not known there (any more). `unreachable`: nothing was sent. `lost`: the connection ended
 * before the answer. `refused`: Peta said no.
 */
type Reason = 'gone' | 'unreachable' | 'lost' | 'refused';

/** A message did not reach its answer; the text is for the person at the client. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly reason: Reason;
  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export type Session = { id: string; version: string | undefined };
type Exchange = { session: Session | undefined; signal: AbortSignal; onMessage(message: Message): void };

/** Towards one MCP endpoint. Each rejects with `CallFailed`, and ends early when its signal is aborted. */
export type Endpoint = {
  /** Posts a message and reports what comes back; resolves with the id of the session that this began. */
  post(message: Message, exchange: Exchange): Promise<{ sessionId: string | undefined }>;
  /** Opens the session's stream of notifications; resolves when it has ended. */
  listen(session: Session, exchange: Omit<Exchange, 'session'>): Promise<void>;
  /** Ends a session, as far as that can be done. */
  leave(session: Session): Promise<void>;
};

const NOT_FOUND = 404;
const UNAVAILABLE = 503;
const SERVER_ERROR = 500;
const METHOD_NOT_FOUND = -32601;
const LEAVE_MS = 1_000;

const isPlain = (text: string): boolean =>
  /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?');

/** A header value; what a header cannot hold goes as Base64 between the marks that MCP defines. */
const headerValue = (text: string): string =>
  isPlain(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;

const nameOf = ({ method, params }: Message): unknown => {
  if (method === 'resources/read') return params?.uri;
  return method === 'tools/call' || method === 'prompts/get' ? params?.name : undefined;
};

/** Since 2026-07-28 headers repeat parts of the body; in a session they name it instead. */
const headersOf = (message: Message, session: Session | undefined): Record<string, string> => {
  const version = statedVersion(message);
  if (version === undefined) return session ? sessionHeaders(session) : {};
  const name = nameOf(message);
  return {
    'mcp-protocol-version': version,
    ...(message.method !== undefined && { 'mcp-method': message.method }),
    ...(typeof name === 'string' && { 'mcp-name': headerValue(name) }),
  };
};

const sessionHeaders = ({ id, version }: Session): Record<string, string> => ({
  'mcp-session-id': id,
  ...(version !== undefined && { 'mcp-protocol-version': version }),
});

/** Reports the messages of an event stream, as they come. */
const readEvents = async (response: Response, onMessage: (message: Message) => void): Promise<void> => {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split(/\r?\n\r?\n/);
    text = events.pop() ?? '';
    for (const event of events) {
      const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
      const content = lines.map((line) => line.slice(5).trimStart()).join('\n');
      const message = content === '' ? undefined : readMessage(JSON.parse(content));
      if (message) onMessage(message);
    }
  }
};

/** An error that answers this very request is the client's to see; any other is thrown as a sentence. */
const passFailure = async (response: Response, message: Message, onMessage: (message: Message) => void) => {
  const body = readMessage(await response.json().catch(() => undefined));
  const isAnswer = isRequest(message) && body?.error !== undefined && body.id === message.id;
  const isGone = response.status === NOT_FOUND && body?.error?.code !== METHOD_NOT_FOUND;
  if (isAnswer && !isGone) return onMessage(body);
  // What is on its way out says so without having looked at the message.
  if (response.status === UNAVAILABLE && !body?.error)
    throw new CallFailed('unreachable', 'Peta is about to stop and takes no more requests.');
  throw new CallFailed(isGone ? 'gone' : 'refused', body?.error?.message ?? `Peta answered ${response.status}.`);
};

/** Why a stream was not opened: what is wrong with Peta itself passes. */
const reasonOf = (status: number): Reason => {
  if (status === NOT_FOUND) return 'gone';
  return status >= SERVER_ERROR ? 'lost' : 'refused';
};

const isRefused = (error: unknown): boolean =>
  error instanceof Error && (JSON.stringify(error.cause) ?? '').includes('"ECONNREFUSED"');

/** Streamable HTTP to the MCP endpoint at `mcpUrl`. */
export const createEndpoint = (mcpUrl: string, token: string | undefined): Endpoint => {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  const reach = async (init: RequestInit): Promise<Response> => {
    try {
      return await fetch(mcpUrl, init);
    } catch (error) {
      if (isRefused(error)) throw new CallFailed('unreachable', `Peta does not answer at ${mcpUrl}. Is it running?`);
      throw lost(error);
    }
  };
  const lost = (error: unknown): CallFailed =>
    error instanceof CallFailed
      ? error
      : new CallFailed('lost', `The connection to Peta at ${mcpUrl} was lost before the answer came.`);

  return {
    async post(message, { session, signal, onMessage }) {
      const response = await reach({
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...authorization,
          ...headersOf(message, session),
        },
        body: JSON.stringify(message),
        signal,
      });
      try {
        if (!response.ok) await passFailure(response, message, onMessage);
        else if (response.headers.get('content-type')?.startsWith('text/event-stream'))
          await readEvents(response, onMessage);
        else if (response.status === 200) {
          const answer = readMessage(await response.json());
          if (answer) onMessage(answer);
        }
      } catch (error) {
        throw lost(error);
      }
      return { sessionId: response.headers.get('mcp-session-id') ?? undefined };
    },

    async listen(session, { signal, onMessage }) {
      const headers = { ...authorization, accept: 'text/event-stream', ...sessionHeaders(session) };
      const response = await reach({ headers, signal });
      if (!response.ok) throw new CallFailed(reasonOf(response.status), `Peta answered ${response.status}.`);
      await readEvents(response, onMessage).catch((error) => {
        throw lost(error);
      });
    },

    async leave(session) {
      const headers = { ...authorization, ...sessionHeaders(session) };
      await fetch(mcpUrl, { method: 'DELETE', headers, signal: AbortSignal.timeout(LEAVE_MS) }).catch(() => {});
    },
  };
};
