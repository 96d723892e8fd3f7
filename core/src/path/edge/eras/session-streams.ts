import type { Admitted, Client } from '#call';
import type { EdgeParts } from '../edge.ts';
import type { Exchange, Stream } from '../exchange.ts';
import { createById, type RequestId } from '../ids.ts';
import type { LogLevel } from '../log-level.ts';
import { CODE, errorMessage, type Message, notificationMessage, refuse } from '../wire.ts';
import { createResumable, type EventId, type Replay, type Resumable, type StreamStore } from './resumable.ts';

/** A session as this era needs it. */
export type SessionRef = {
  readonly id: string;
  readonly client: Client;
  readonly protocolVersion: string;
  /** It was begun by another process, or before a restart. */
  readonly isFromElsewhere: boolean;
  open: number;
  /** Least severity of log lines, once the client has said so. */
  logLevel: LogLevel | undefined;
  /** URIs of the resources whose changes the client wants to hear of. */
  subscriptions: string[];
};

/** What is open in one session, here. */
type Open = {
  requests: ReturnType<typeof createById<AbortController>>;
  /** Watched resources, by URI. */
  watched: Map<string, AbortController>;
  /** Tasks whose states are told, by handle. */
  followed: Map<string, AbortController>;
  streams: Map<string, Resumable>;
  own: { stream: Resumable; end(): void; admitted(): Admitted } | undefined;
};

type Parts = Pick<EdgeParts, 'live' | 'quietMs'> & {
  streamStore: StreamStore;
  /** Something went wrong that no client is told. */
  onFault(error: unknown): void;
  /** The session's own stream is there: what it is to tell of is looked at again. */
  onOwnStream(session: SessionRef, admitted: Admitted): void;
};

const LIST_KINDS = ['tools', 'resources', 'prompts'] as const;
/** The first revision that knows events without data. */
const PRIMES_SINCE = '2025-11-25';
/** A client that lost the session's own stream has so long to come back for what it missed. */
const COME_BACK_MS = 300_000;
/** How often what another process says is looked for. */
const FOLLOW_MS = 250;

const listChanged = (kind: string): Message => notificationMessage(`notifications/${kind}/list_changed`, {});

/** A client that comes back to a call that was under way when its process ended. */
const interrupted = (requestId: string): Message =>
  errorMessage(JSON.parse(requestId) as RequestId, {
    code: CODE.internal,
    message: 'Peta was restarted while this call ran, so its result is lost. It may have had an effect.',
  });

/** What is open in each session, so that it can be cancelled, come back to and ended. */
export const createOpenSessions = (parts: Parts) => {
  const { live, quietMs, streamStore: store, onFault, onOwnStream } = parts;
  const sessions = new Map<string, Open>();

  const openOf = (sessionId: string): Open => {
    const held = sessions.get(sessionId) ?? {
      requests: createById<AbortController>(),
      watched: new Map<string, AbortController>(),
      followed: new Map<string, AbortController>(),
      streams: new Map<string, Resumable>(),
      own: undefined,
    };
    sessions.set(sessionId, held);
    return held;
  };

  type New = Pick<Parameters<typeof createResumable>[0], 'kind' | 'requestId'> & {
    existing?: { id: string; lastNumber: number } | undefined;
  };
  const create = (session: SessionRef, { kind, requestId, existing }: New): Resumable => {
    const { streams } = openOf(session.id);
    const stream: Resumable = createResumable({
      store,
      sessionId: session.id,
      kind,
      requestId,
      isPrimed: session.protocolVersion >= PRIMES_SINCE,
      onLost: onFault,
      onEnd: () => void streams.delete(stream.id),
      ...(existing && { existing }),
    });
    streams.set(stream.id, stream);
    return stream;
  };

  /** Connects an exchange to a stream for as long as its client stays. Returns its way out. */
  const connect = (exchange: Exchange, session: SessionRef, stream: Resumable, after?: number): Stream => {
    const outlet = exchange.stream();
    session.open += 1;
    stream.attach(outlet, after);
    const timer = setInterval(() => outlet.keepAlive(), quietMs);
    timer.unref();
    outlet.onClosed(() => {
      clearInterval(timer);
      stream.detach(outlet);
      session.open -= 1;
    });
    return outlet;
  };

  const beginOwn = (session: SessionRef, admitted: Admitted, existing?: { id: string; lastNumber: number }) => {
    const open = openOf(session.id);
    const stream = create(session, { kind: 's', requestId: null, existing });
    const end = () => {
      place.remove();
      open.own = undefined;
      stream.end();
    };
    const onListChanged = (kinds: readonly string[]) => {
      for (const kind of kinds) stream.send(listChanged(kind));
    };
    const place = live.add({ admitted, end, onListChanged });
    open.own = { stream, end, admitted: place.admitted };
    return open.own;
  };

  /** Ends the session's own stream when its client does not come back. */
  const watchOwn = (outlet: Stream, { end, stream }: { end(): void; stream: Resumable }, session: SessionRef): void => {
    outlet.onClosed(() => {
      const timer = setTimeout(() => {
        if (sessions.get(session.id)?.own?.stream === stream && !stream.isAttached()) end();
      }, COME_BACK_MS);
      timer.unref();
    });
  };

  const connectOwn = (exchange: Exchange, admitted: Admitted, session: SessionRef, after?: number): Resumable => {
    const own = openOf(session.id).own ?? beginOwn(session, admitted);
    watchOwn(connect(exchange, session, own.stream, after), own, session);
    onOwnStream(session, admitted);
    return own.stream;
  };

  /** A client that may have missed anything is told that everything may have changed. */
  const startAnew = (exchange: Exchange, admitted: Admitted, session: SessionRef): void => {
    const stream = connectOwn(exchange, admitted, session);
    for (const kind of LIST_KINDS) stream.send(listChanged(kind));
  };

  /** Passes on what another process says on the stream, until it ends. */
  const follow = async (exchange: Exchange, session: SessionRef, { stream: id, number }: EventId): Promise<void> => {
    const outlet = exchange.stream();
    session.open += 1;
    try {
      for (let after = number; !exchange.gone.aborted; ) {
        const replay = await store.replay(session.id, id, after);
        for (const event of replay?.events ?? []) {
          outlet.sendText(event.text, `${id}.${event.number}`);
          after = event.number;
        }
        if (replay?.state !== 'open') break;
        await new Promise((done) => setTimeout(done, FOLLOW_MS));
      }
    } finally {
      session.open -= 1;
      outlet.end();
    }
  };

  const lastOf = ({ events }: Replay, { number }: EventId): number => events.at(-1)?.number ?? number;

  /** Goes on with the session's own stream, whose process has gone. */
  const adoptOwn = async (exchange: Exchange, admitted: Admitted, session: SessionRef, at: EventId, replay: Replay) => {
    await store.adopt(session.id, at.stream);
    openOf(session.id).own?.end();
    beginOwn(session, admitted, { id: at.stream, lastNumber: lastOf(replay, at) });
    const stream = connectOwn(exchange, admitted, session, at.number);
    for (const kind of LIST_KINDS) stream.send(listChanged(kind));
  };

  /** What was said in answer to a request, and, where its process has gone before the end, that this was all. */
  const tellRest = (exchange: Exchange, session: SessionRef, at: EventId, replay: Replay): void => {
    const { requestId, state } = replay;
    const existing = { id: at.stream, lastNumber: lastOf(replay, at) };
    const stream = create(session, { kind: 'r', requestId, existing });
    connect(exchange, session, stream, at.number);
    if (state === 'abandoned' && requestId !== null) stream.send(interrupted(requestId));
    stream.end();
  };

  return {
    of: openOf,

    /** Says something on the session's own stream, or undefined when there is none here. */
    sayer(sessionId: string): ((message: Message) => void) | undefined {
      return sessions.get(sessionId)?.own?.stream.send;
    },

    /** The way out for the answer of a request; its client may come back to it. */
    forRequest(
      exchange: Exchange,
      session: SessionRef,
      requestId: RequestId,
    ): Pick<Stream, 'send' | 'keepAlive' | 'end'> {
      const stream = create(session, { kind: 'r', requestId: JSON.stringify(requestId) });
      connect(exchange, session, stream);
      return { send: (message) => stream.send(message), keepAlive: () => {}, end: () => stream.end() };
    },

    /** Opens the session's own stream. A client that comes back takes it over from its earlier connection. */
    openOwn(exchange: Exchange, admitted: Admitted, session: SessionRef): void {
      if (session.isFromElsewhere && !openOf(session.id).own) startAnew(exchange, admitted, session);
      else connectOwn(exchange, admitted, session);
    },

    /** A client comes back to a stream: it hears what it missed, and then what else is said. */
    async resume(exchange: Exchange, admitted: Admitted, session: SessionRef, at: EventId): Promise<void> {
      const open = openOf(session.id);
      if (open.own && open.own.stream.id === at.stream) return void connectOwn(exchange, admitted, session, at.number);
      const here = open.streams.get(at.stream);
      if (here) return void connect(exchange, session, here, at.number);
      const replay = await store.replay(session.id, at.stream, at.number);
      if (replay?.state === 'open') return follow(exchange, session, at);
      if (at.kind === 's' && (!replay || replay.state === 'ended')) return startAnew(exchange, admitted, session);
      if (!replay) {
        const message = 'This Last-Event-ID is of no stream that this session can come back to.';
        return refuse(exchange, 400, null, { code: CODE.invalidRequest, message });
      }
      if (at.kind === 's') return adoptOwn(exchange, admitted, session, at, replay);
      tellRest(exchange, session, at, replay);
    },

    /** A session is over: whatever is still open in it ends. */
    ended(sessionId: string): void {
      const open = sessions.get(sessionId);
      sessions.delete(sessionId);
      if (!open) return;
      open.own?.end();
      for (const request of open.requests.values()) request.abort();
      for (const told of [...open.watched.values(), ...open.followed.values()]) told.abort();
    },
  };
};

export type OpenSessions = ReturnType<typeof createOpenSessions>;
