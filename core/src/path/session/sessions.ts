import { randomBytes } from 'node:crypto';
import type { Arrival, Caller, Client, Refused } from '#call';

type LogLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';

/** Who a sessionful client is, from `initialize` until it leaves, is idle for too long, or loses its place. */
export type Session = {
  readonly id: string;
  /** Whose it is: a session id alone opens nothing. */
  readonly workspaceId: string;
  readonly userId: string | null;
  readonly client: Client;
  readonly protocolVersion: string;
  lastUsedAt: number;
  /** Least severity of log lines, once the client has said so. */
  logLevel: LogLevel | undefined;
  /** Requests and streams that are open now: such a session is not idle. */
  open: number;
};

const MAX_SESSIONS = 50_000;

const unknownSession: Refused = {
  kind: 'refused',
  code: 'unknown-session',
  reason: 'This session is not known: it ended or never was. Start anew with initialize.',
};

type Options = {
  /** Milliseconds since the epoch. */
  now(): number;
  idleMs: number;
  /** Called once for each session that ends, however it ends. */
  onEnd?(session: Session): void;
};

/** The sessions of this process. Bounded: beyond the bound the longest unused goes. */
export const createSessions = ({ now, idleMs, onEnd }: Options) => {
  /** In order of last use, the longest unused first. */
  const sessions = new Map<string, Session>();

  const end = (session: Session): void => {
    if (sessions.delete(session.id)) onEnd?.(session);
  };

  const isOwn = (session: Session, caller: Caller): boolean =>
    session.workspaceId === caller.workspaceId && session.userId === caller.userId;

  const touch = (session: Session): void => {
    session.lastUsedAt = now();
    sessions.delete(session.id);
    sessions.set(session.id, session);
  };

  const find = (id: string, caller: Caller): Session | undefined => {
    const session = sessions.get(id);
    return session && isOwn(session, caller) ? session : undefined;
  };

  const endLongestUnused = (): void => {
    for (const session of sessions.values()) {
      if (session.open > 0) continue;
      end(session);
      return;
    }
  };

  return {
    create(caller: Caller, client: Client, protocolVersion: string): Session {
      const session: Session = {
        id: randomBytes(24).toString('base64url'),
        workspaceId: caller.workspaceId,
        userId: caller.userId,
        client,
        protocolVersion,
        lastUsedAt: now(),
        logLevel: undefined,
        open: 0,
      };
      sessions.set(session.id, session);
      if (sessions.size > MAX_SESSIONS) endLongestUnused();
      return session;
    },

    find,

    /** The client a request speaks for: the session's, or what a sessionless request says of itself. */
    client(arrival: Arrival, caller: Caller): Client | Refused {
      if (arrival.sessionId === undefined) return arrival.client ?? unknownSession;
      const session = find(arrival.sessionId, caller);
      if (!session) return unknownSession;
      touch(session);
      return session.client;
    },

    end,

    /** Ends sessions that nobody has used for the idle time. To be called now and then. */
    sweep(): void {
      for (const session of sessions.values()) {
        if (now() - session.lastUsedAt < idleMs) return;
        if (session.open > 0) touch(session);
        else end(session);
      }
    },

    all: (): readonly Session[] => [...sessions.values()],
    count: (): number => sessions.size,
  };
};
