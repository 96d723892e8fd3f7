import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange, Message, Stream } from '../exchange.ts';
import { CODE, errorMessage, faultError, textOf } from '../wire.ts';
import { readJsonBody } from './body.ts';
import { bearerOf, type EntryOptions, openStream, respond } from './http.ts';

type Options = EntryOptions & {
  /** A stream says something at least this often. */
  quietMs: number;
};

/** One client on the older transport: everything it is told comes on this one stream. */
type Connection = {
  stream: Stream;
  endpoint: string;
  /** Of the token it was opened with: nobody else posts to it. */
  bearerHash: string;
  session: string | undefined;
  closed: AbortController;
};

const SESSION = 'mcp-session-id';

const hashOf = (bearer: string | undefined): string =>
  createHash('sha256')
    .update(bearer ?? '')
    .digest('hex');

/** A stream inside the one stream: it can end without ending that. */
const within = ({ stream, closed }: Connection): Stream => {
  const ended = new AbortController();
  const isOpen = () => !ended.signal.aborted && !closed.signal.aborted;
  const say = (text: string) => {
    if (isOpen()) stream.sendText(text);
  };
  return {
    send(message) {
      const text = textOf(message);
      if (text !== undefined) say(text);
    },
    sendText: say,
    prime: () => {},
    keepAlive: () => {},
    end: () => ended.abort(),
    onClosed(listener) {
      const { signal } = ended;
      if (!isOpen()) return listener();
      const once = new AbortController();
      for (const either of [signal, closed.signal])
        either.addEventListener(
          'abort',
          () => {
            once.abort();
            listener();
          },
          { signal: once.signal },
        );
    },
  };
};

/**
 * HTTP+SSE of revision 2024-11-05, for old clients: a GET opens the stream and is told where to post; each POST is
 * answered on the stream. Behind it is the same era that serves Streamable HTTP.
 */
export const createSseEntry = ({ serve, maxBodyBytes, maxBufferedBytes, quietMs, onFault }: Options) => {
  const connections = new Map<string, Connection>();

  const exchangeFor = (connection: Connection, request: IncomingMessage, method: string, body: unknown): Exchange => {
    const headers: Readonly<Record<string, string | undefined>> = {
      accept: 'application/json, text/event-stream',
      [SESSION]: connection.session,
    };
    const answer = (message: Message, given?: Record<string, string>) => {
      connection.session ??= given?.[SESSION];
      connection.stream.send(message);
    };
    const address = request.socket.remoteAddress ?? '';
    return {
      method,
      header: (name) => headers[name],
      arrival: { endpoint: connection.endpoint, bearer: bearerOf(request), address },
      body,
      gone: connection.closed.signal,
      json: (_status, message, given) => answer(message, given),
      empty: () => {},
      stream: () => within(connection),
    };
  };

  const served = async (exchange: Exchange): Promise<void> => {
    try {
      await serve(exchange);
    } catch (error) {
      onFault(error);
      const fault = faultError(error);
      exchange.json(fault.status, errorMessage(null, { ...fault.error, code: CODE.internal }));
    }
  };

  return {
    /** Opens the stream of a client that has been let in; `messages` is the path to post to. */
    open(request: IncomingMessage, response: ServerResponse, endpoint: string, messages: string): void {
      const id = randomUUID();
      const stream = openStream(response, maxBufferedBytes);
      const closed = new AbortController();
      const bearerHash = hashOf(bearerOf(request));
      const connection: Connection = { stream, endpoint, bearerHash, session: undefined, closed };
      connections.set(id, connection);
      const timer = setInterval(() => stream.keepAlive(), quietMs).unref();
      stream.onClosed(() => {
        clearInterval(timer);
        connections.delete(id);
        // The session ends with its one stream: nobody could come back to it.
        if (connection.session !== undefined) void served(exchangeFor(connection, request, 'DELETE', undefined));
        closed.abort();
      });
      response.write(`event: endpoint\ndata: ${messages}?sessionId=${id}\n\n`);
    },

    /** Takes a message; its answer comes on the stream. */
    async post(request: IncomingMessage, response: ServerResponse, endpoint: string, id: string): Promise<void> {
      const connection = connections.get(id);
      const isOwn = connection?.endpoint === endpoint && connection.bearerHash === hashOf(bearerOf(request));
      if (!connection || !isOwn) {
        const message = 'There is no open stream of yours with this sessionId: open one with GET first.';
        return void respond(response, 404, errorMessage(null, { code: CODE.notAdmitted, message }));
      }
      const read = await readJsonBody(request, maxBodyBytes).catch(() => undefined);
      if (!read) return;
      if ('status' in read)
        return void respond(response, read.status, errorMessage(null, { code: read.code, message: read.message }));
      respond(response, 202, undefined);
      const wasNew = connection.session === undefined;
      await served(exchangeFor(connection, request, 'POST', read.body));
      // What a session tells of its own accord has no other place to go.
      if (wasNew && connection.session !== undefined) await served(exchangeFor(connection, request, 'GET', undefined));
    },
  };
};
