import { createHash, randomBytes } from 'node:crypto';
import type { Arrival, Caller, Client, Refused } from '#call';

type LogLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';

/** Whose a session is and where it was opened: its id alone opens nothing. */
type Owner = {
  readonly workspaceId: string;
  readonly kind: Caller['kind'];
  readonly userId: string | null;
  readonly endpoint: string;
};

/** Who a sessionful client is, from `initialize` until it leaves, is idle for too long, or loses its place. */
export type Session = Owner & {
  readonly id: string;
  readonly client: Client;
  readonly protocolVersion: string;
  /** Least severity of log lines, once the client has said so. */
  logLevel: LogLevel | undefined;
  /** URIs of the resources whose changes the client wants to hear of. */
  subscriptions: string[];
  lastUsedAt: number;
  /** It was begun by another process, or before a restart. */
  readonly isFromElsewhere: boolean;
  /** Requests and streams that are open now: such a session is not idle. */
  open: number;
};

/** A session as it is kept where it outlives this process: under the hash of its id. */
export type KeptSession = Omit<Session, 'id' | 'isFromElsewhere' | 'lastUsedAt' | 'open'>;

/** Where sessions are kept for every process that serves the same clients. */
export type SessionStore = {
  insert(hash: string, session: KeptSession): Promise<void>;
  find(hash: string): Promise<KeptSession | undefined>;
  save(hash: string, changes: Pick<KeptSession, 'logLevel' | 'subscriptions'>): Promise<void>;
  used(hashes: readonly string[]): Promise<void>;
  remove(hash: string): Promise<void>;
  /** Removes what nobody has used for the idle time. */
  sweep(idleMs: number): Promise<void>;
};

const MAX_SESSIONS = 50_000;

const unknownSession: Refused = {
  kind: 'refused',
  code: 'unknown-session',
  reason: 'This session is not known: it ended or never was. Start anew with initialize.',
};

type Options = {
  store: SessionStore;
  /** Milliseconds since the epoch. */
  now(): number;
  idleMs: number;
  /** Called once for each session that is not served here any more, whyever. */
  onEnd?(session: Session): void;
  /** What is kept of a session has changed, or the session has ended: other processes are to look again. */
  onChanged?(hash: string): Promise<void>;
};

export const hashOfSession = (id: string): string => createHash('sha256').update(id).digest('hex');

const isOf = (session: Owner, caller: Caller, endpoint: string): boolean =>
  session.workspaceId === caller.workspaceId &&
  session.kind === caller.kind &&
  session.userId === caller.userId &&
  session.endpoint === endpoint;

/**
 * Sessions, in memory while they are used here and in the store for other processes and for after a restart. Memory is
 * bounded: beyond the bound the longest unused goes.
 */
export const createSessions = ({ store, now, idleMs, onEnd, onChanged }: Options) => {
  /** In order of last use, the longest unused first. */
  const sessions = new Map<string, Session>();
  const loading = new Map<string, Promise<void>>();

  /** Not served here any more. */
  const drop = (session: Session): void => {
    if (sessions.delete(session.id)) onEnd?.(session);
  };

  const touch = (session: Session): void => {
    session.lastUsedAt = now();
    sessions.delete(session.id);
    sessions.set(session.id, session);
  };

  const dropLongestUnused = (): void => {
    for (const session of sessions.values()) {
      if (session.open > 0) continue;
      drop(session);
      return;
    }
  };

  const add = (id: string, kept: KeptSession, isFromElsewhere: boolean): Session => {
    const session: Session = { ...kept, id, isFromElsewhere, lastUsedAt: now(), open: 0 };
    sessions.set(id, session);
    if (sessions.size > MAX_SESSIONS) dropLongestUnused();
    return session;
  };

  const find = (id: string, caller: Caller, endpoint: string): Session | undefined => {
    const session = sessions.get(id);
    return session && isOf(session, caller, endpoint) ? session : undefined;
  };

  const load = async (id: string): Promise<void> => {
    const kept = await store.find(hashOfSession(id));
    if (kept && !sessions.has(id)) add(id, kept, true);
  };

  const loaded = (id: string): Promise<void> => {
    const pending = loading.get(id) ?? load(id).finally(() => loading.delete(id));
    loading.set(id, pending);
    return pending;
  };

  const clientOf = (id: string, caller: Caller, endpoint: string): Client | Refused => {
    const session = find(id, caller, endpoint);
    if (!session) return unknownSession;
    touch(session);
    return session.client;
  };

  const byHash = (hash: string): Session | undefined =>
    [...sessions.values()].find(({ id }) => hashOfSession(id) === hash);

  return {
    /** The session of this hash, if it is served here. */
    byHash,

    async create(caller: Caller, endpoint: string, client: Client, protocolVersion: string): Promise<Session> {
      const id = randomBytes(24).toString('base64url');
      const { workspaceId, kind, userId } = caller;
      const owner = { workspaceId, kind, userId, endpoint };
      const kept: KeptSession = { ...owner, client, protocolVersion, logLevel: undefined, subscriptions: [] };
      const session = add(id, kept, false);
      await store.insert(hashOfSession(id), kept);
      return session;
    },

    find,

    /** The client a request speaks for: the session's, or what a sessionless request says of itself. */
    client({ sessionId, endpoint, client }: Arrival, caller: Caller): Client | Refused | Promise<Client | Refused> {
      if (sessionId === undefined) return client ?? unknownSession;
      if (sessions.has(sessionId)) return clientOf(sessionId, caller, endpoint);
      return loaded(sessionId).then(() => clientOf(sessionId, caller, endpoint));
    },

    /** Keeps what the client has set. */
    async save(session: Session): Promise<void> {
      await store.save(hashOfSession(session.id), session);
      await onChanged?.(hashOfSession(session.id));
    },

    /** The client left: nobody comes again with this session, here or elsewhere. */
    async end(session: Session): Promise<void> {
      drop(session);
      const hash = hashOfSession(session.id);
      await store.remove(hash);
      await onChanged?.(hash);
    },

    /** The session of this hash was changed or ended, perhaps elsewhere. Returns it as it is now, if it is served here. */
    async refresh(hash: string): Promise<Session | undefined> {
      const session = byHash(hash);
      if (!session) return undefined;
      const kept = await store.find(hash);
      if (!kept) return void drop(session);
      session.logLevel = kept.logLevel;
      session.subscriptions = kept.subscriptions;
      return session;
    },

    /** Ends sessions that nobody has used for the idle time. To be called now and then. */
    async sweep(): Promise<void> {
      const inUse: string[] = [];
      for (const session of [...sessions.values()]) {
        if (session.open > 0) touch(session);
        if (now() - session.lastUsedAt >= idleMs) drop(session);
        else inUse.push(hashOfSession(session.id));
      }
      await store.used(inUse);
      await store.sweep(idleMs);
    },

    all: (): readonly Session[] => [...sessions.values()],
    count: (): number => sessions.size,
  };
};
