import {
  type JSONRPCMessage,
  SSEClientTransport,
  SseError,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { isNestedDeeper, MAX_DEPTH } from '#lib/json';
import { sentAs } from '#lib/sending';
import { atMost } from '#lib/sleep';
import { ServerUnavailable } from '../errors.ts';
import { HttpRefusal } from '../faults.ts';
import type { Way } from '../tap.ts';
import { boundBody } from './bound-body.ts';
import { createExactness, type Exactness } from './exact.ts';

type HttpConfig = { url: string; headers: Readonly<Record<string, string>> };

const GOODBYE_MS = 1_000;
/** As often as the SDK tries to reopen a stream before it gives up. */
const STREAM_ATTEMPTS = 2;
/** How long a call waits for the stream of its session: some servers answer that only once they have something to say. */
const STREAM_MS = 200;

/** The address and headers as configured. Throws a sentence that repeats no secret when they cannot be used. */
const targetOf = ({ url, headers }: HttpConfig): { url: URL; headers: Headers } => {
  const target = new URL(url);
  if (target.username || target.password)
    throw new ServerUnavailable(
      "The server's address contains a user name or password: put them into an Authorization header instead.",
    );
  const checked = new Headers();
  for (const [name, value] of Object.entries(headers))
    try {
      checked.set(name, value);
    } catch {
      throw new ServerUnavailable(`The header ${JSON.stringify(name)} has a name or value that HTTP cannot carry.`);
    }
  return { url: target, headers: checked };
};

const TOO_DEEP = { code: -32603, message: `The server answered with more than ${MAX_DEPTH} levels of nesting.` };

/** The message, or what becomes of one that is nested so deeply that nobody could write it again. */
const bounded = (message: JSONRPCMessage): JSONRPCMessage | undefined => {
  if (!isNestedDeeper(message, MAX_DEPTH)) return message;
  if ('method' in message || message.id === undefined) return undefined;
  return { jsonrpc: '2.0', id: message.id, error: TOO_DEEP };
};

/** The same response, bounded, and with numbers that keep their digits. */
const carefully = async (response: Response, exactness: Exactness): Promise<Response> => {
  const bound = boundBody(response);
  const { status, statusText, headers } = bound;
  const type = headers.get('content-type') ?? '';
  if (!bound.body || !bound.ok) return bound;
  if (type.startsWith('text/event-stream'))
    return new Response(bound.body.pipeThrough(exactness.protectEvents()), { status, statusText, headers });
  if (!type.startsWith('application/json')) return bound;
  const text = await bound.text();
  // A new response with a body of its own would cost as much as the request.
  return Object.assign(bound, { json: async (): Promise<unknown> => JSON.parse(exactness.protectJson(text)) });
};

/** Passes on what the SDK's transport does; what it is asked to do stays with the caller. */
const forward = (way: Way, inner: SSEClientTransport | StreamableHTTPClientTransport, { restore }: Exactness): void => {
  inner.onmessage = (given) => {
    const message = bounded(restore(given));
    if (message) way.onmessage?.(message);
  };
  inner.onclose = () => way.onclose?.();
};

/** MCP over Streamable HTTP. Redirects are followed within the origin alone. */
export const createHttpTransport = (config: HttpConfig): Way => {
  const { url, headers } = targetOf(config);
  const exactness = createExactness();
  /** Requests that were answered by something other than a stream. */
  const answeredWhole = new Set<string>();
  let lostStreams = 0;
  let isStreamBegun = false;
  /** The server has said whether there is a stream of the session. */
  const streamMet = Promise.withResolvers<void>();

  /** The stream of a session tells of changes; when it cannot be had any more, neither can the session. */
  const watch = async (address: string | URL, init?: RequestInit): Promise<Response> => {
    const isStream = init?.method === 'GET';
    isStreamBegun ||= isStream;
    try {
      const response = await fetch(address, init);
      if (isStream && response.ok) lostStreams = 0;
      if (isStream && response.status === 404 && inner.sessionId !== undefined)
        way.onretire?.({ kind: 'expired', reason: 'The server ended the session.' });
      const isWhole = !response.headers.get('content-type')?.startsWith('text/event-stream');
      const request = sentAs();
      if (isWhole && request !== undefined) answeredWhole.add(request);
      return await carefully(response, exactness);
    } catch (error) {
      if (isStream && !init?.signal?.aborted) lostStreams += 1;
      if (lostStreams >= STREAM_ATTEMPTS) way.onretire?.({ kind: 'failed', reason: 'The server cannot be reached.' });
      throw error;
    } finally {
      if (isStream) streamMet.resolve();
    }
  };
  const inner = new StreamableHTTPClientTransport(url, { requestInit: { headers }, fetch: watch });
  const transport: Transport = inner;

  const way: Way = {
    hasPerRequestStream: true,
    get sessionId() {
      return inner.sessionId;
    },
    setProtocolVersion: (version) => inner.setProtocolVersion(version),
    start: () => inner.start(),
    async send(message, options) {
      await transport.send(message, options);
      // Whatever there was in an answer that is no stream has been read: if it was not the answer, none will come.
      // What a server asks on the stream of the session before that is open is lost.
      if ('method' in message && message.method === 'notifications/initialized') {
        await new Promise(setImmediate);
        if (isStreamBegun) await atMost(STREAM_MS, streamMet.promise);
      }
      if ('id' in message && answeredWhole.delete(String(message.id))) options?.onRequestStreamEnd?.();
    },
    async close() {
      // The server need not keep what nobody will ask for again.
      const goodbye = inner.terminateSession().catch(() => {});
      await Promise.race([goodbye, new Promise((done) => setTimeout(done, GOODBYE_MS).unref())]);
      await inner.close();
    },
  };
  forward(way, inner, exactness);
  inner.onerror = (error) => way.onerror?.(error);
  return way;
};

/** MCP over HTTP+SSE. When the stream ends the session has ended, so the connection is closed, not resumed. */
export const createSseTransport = (config: HttpConfig): Way => {
  const { url, headers } = targetOf(config);
  const exactness = createExactness();
  let closeReason: string | undefined;
  let isOpen = false;
  let networkError: unknown;

  const inner = new SSEClientTransport(url, {
    requestInit: { headers },
    async fetch(address, init) {
      const response = await fetch(address, init).catch((error: unknown) => {
        networkError = error;
        throw error;
      });
      const isPost = init?.method === 'POST';
      if (isPost && response.status >= 400) throw new HttpRefusal(response.status, await response.text());
      return carefully(response, exactness);
    },
  });

  const way: Way = {
    /** There is one session for as long as the stream lasts. */
    sessionId: undefined,
    get closeReason() {
      return closeReason;
    },
    setProtocolVersion: (version) => inner.setProtocolVersion(version),
    async start() {
      try {
        await inner.start();
        isOpen = true;
      } catch (error) {
        await inner.close();
        if (error instanceof SseError && error.code !== undefined) throw new HttpRefusal(error.code, '');
        throw networkError ?? error;
      }
    },
    send: (message) => inner.send(message),
    close: () => inner.close(),
  };
  forward(way, inner, exactness);
  inner.onerror = (error) => {
    way.onerror?.(error);
    if (!isOpen || !(error instanceof SseError)) return;
    isOpen = false;
    closeReason = 'The event stream of the server ended.';
    void inner.close();
  };
  return way;
};
