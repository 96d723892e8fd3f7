import { setTimeout as pause } from 'node:timers/promises';
import { createMarked } from './marked.ts';
import { answers, isRequest, type Message, readMessage, statedVersion } from './message.ts';

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
/** How long, and how often, it is tried to come back to a call whose connection was lost. */
const COME_BACK_MS = 60_000;
const PAUSE_MS = 500;

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

type OnEvent = (message: Message | undefined, id: string | undefined) => void;

/** Reports the events of a stream, as they come. */
const readEvents = async (response: Response, onEvent: OnEvent): Promise<void> => {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split(/\r?\n\r?\n/);
    text = events.pop() ?? '';
    for (const event of events) {
      const field = (name: string) =>
        event
          .split(/\r?\n/)
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).trimStart());
      const content = field('data').join('\n');
      onEvent(content === '' ? undefined : readMessage(JSON.parse(content)), field('id').at(-1));
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

  const marked = createMarked(headerValue);
  /** The last that was heard on the session's own stream. */
  let heard: { session: string; eventId: string } | undefined;

  const openStream = async (session: Session, lastEventId: string | undefined, signal: AbortSignal) => {
    const headers = {
      ...authorization,
      accept: 'text/event-stream',
      ...sessionHeaders(session),
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    };
    const response = await reach({ headers, signal });
    if (!response.ok) throw new CallFailed(reasonOf(response.status), `Peta answered ${response.status}.`);
    return response;
  };

  /** Comes back to the stream of a call where it was lost; Peta may be restarting. */
  const comeBack = async (session: Session, lastEventId: string, signal: AbortSignal): Promise<Response> => {
    for (const deadline = Date.now() + COME_BACK_MS; ; ) {
      await pause(PAUSE_MS, undefined, { signal });
      try {
        return await openStream(session, lastEventId, signal);
      } catch (error) {
        const isPassing = error instanceof CallFailed && (error.reason === 'unreachable' || error.reason === 'lost');
        if (!isPassing || Date.now() > deadline) throw error;
      }
    }
  };

  /** Reads the stream that answers a request to its end, over as many connections as that takes. */
  const readAnswer = async (first: Response, message: Message, { session, signal, onMessage }: Exchange) => {
    let lastEventId: string | undefined;
    let isAnswered = false;
    const onEvent: OnEvent = (one, id) => {
      lastEventId = id ?? lastEventId;
      if (!one) return;
      isAnswered ||= answers(one, message.id);
      onMessage(one);
    };
    for (let response = first; ; response = await comeBack(session, lastEventId, signal)) {
      const failure = await readEvents(response, onEvent).then(
        () => undefined,
        (error: unknown) => lost(error),
      );
      if (isAnswered || signal.aborted) return;
      if (session !== undefined && lastEventId !== undefined) continue;
      if (failure) throw failure;
      return;
    }
  };

  return {
    async post(message, exchange) {
      const { session, signal } = exchange;
      const onMessage = (answer: Message) => {
        if (message.method === 'tools/list') marked.learn(answer);
        exchange.onMessage(answer);
      };
      const response = await reach({
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...authorization,
          ...headersOf(message, session),
          ...(statedVersion(message) !== undefined && marked.headersFor(message)),
        },
        body: JSON.stringify(message),
        signal,
      });
      try {
        if (!response.ok) await passFailure(response, message, onMessage);
        else if (response.headers.get('content-type')?.startsWith('text/event-stream'))
          await readAnswer(response, message, { session, signal, onMessage });
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
      const lastEventId = heard?.session === session.id ? heard.eventId : undefined;
      const response = await openStream(session, lastEventId, signal);
      const onEvent: OnEvent = (message, eventId) => {
        if (eventId !== undefined) heard = { session: session.id, eventId };
        if (message) onMessage(message);
      };
      await readEvents(response, onEvent).catch((error) => {
        throw lost(error);
      });
    },

    async leave(session) {
      const headers = { ...authorization, ...sessionHeaders(session) };
      await fetch(mcpUrl, { method: 'DELETE', headers, signal: AbortSignal.timeout(LEAVE_MS) }).catch(() => {});
    },
  };
};
