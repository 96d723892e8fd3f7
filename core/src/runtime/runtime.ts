import { backoffMs, sleep } from '#lib/sleep';
import { createLogRing, type LogLine } from './log-ring.ts';
import { createPool, type Hold, NO_HOLD, type Want } from './pool.ts';
import { createRelist } from './relist.ts';
import {
  type Running,
  type RuntimeOptions,
  reasonOf,
  type Server,
  type ServerKey,
  STOPPED,
  type Start,
  type Status,
  within,
} from './server.ts';

export type { Running, ServerKey } from './server.ts';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 120_000;
const STEADY_MS = 30_000;
/** How long ending everything waits for starts that were under way. */
const ABANDON_MS = 5_000;
/** How long a further connection is kept that nobody uses. */
const IDLE_MS = 600_000;
/** How long a server has to say that it offers more after all. */
const SETTLE_MS = 200;
const BUSY = 'All its connections are taken by calls that wait for answers, and none became free (PETA_MAX_INSTANCES).';

/**
 * A connection of its own, closed again: what the server asks as soon as it is connected to is for the client whose call
 * comes first, and here none comes.
 */
const toExplore = (capabilities: object): Want => ({
  capabilities,
  affinity: 'explore',
  party: 'explore',
  owner: 'explore',
  isAlone: true,
  isOnce: true,
  signal: new AbortController().signal,
});

/** Starts servers when they are first needed, watches them, and starts them again with backoff when they fail. */
export const createRuntime = <C extends Running>(options: RuntimeOptions<C>) => {
  const { open, onStatus, onConnected, unavailable, startTimeoutMs, maxInstances, instanceWaitMs, log } = options;
  const list = createRelist(options);
  const servers = new Map<string, Server<C>>();
  /** Also those that nobody waits for any more. */
  const starts = new Set<Start<C>>();
  let isStopping = false;

  /** What a call changes there, its own process alone may know of. */
  const adoptFurther = (server: Server<C>, connection: C, capabilities: object): void => {
    server.further.set(connection, capabilities);
    connection.onClosed(() => server.further.delete(connection));
    connection.onListChanged(() => {
      if (server.further.has(connection)) void list(server, connection);
    });
    onConnected?.(server.key, connection);
  };

  const openFurther = async (server: Server<C>, capabilities: object): Promise<C> => {
    const { key, ring } = server;
    const abort = new AbortController();
    const opening = open(key, ring, abort.signal, capabilities);
    try {
      const connection = await within(opening, startTimeoutMs, abort.signal);
      adoptFurther(server, connection, capabilities);
      return connection;
    } catch (error) {
      abort.abort();
      void opening.then((late) => late.close()).catch(() => {});
      ring.add('peta', reasonOf(error));
      throw unavailable(reasonOf(error));
    }
  };

  const serverOf = (key: ServerKey): Server<C> => {
    const name = `${key.workspaceId}/${key.serverId}`;
    const held = servers.get(name);
    if (held) return held;
    const ring = createLogRing(() => new Date());
    const fresh: Server<C> = {
      key,
      ring,
      state: { status: 4, reason: null },
      connection: undefined,
      start: undefined,
      listing: undefined,
      further: new Map(),
      explored: new Map(),
      stale: new Map(),
      relistTimers: new Map(),
      failures: 0,
      givenUp: undefined,
      retryTimer: undefined,
      pool: createPool({
        open: (capabilities) => openFurther(fresh, capabilities),
        max: maxInstances,
        idleMs: IDLE_MS,
        waitMs: instanceWaitMs,
        late: () => unavailable(BUSY),
        closed: () => unavailable(STOPPED),
      }),
    };
    servers.set(name, fresh);
    return fresh;
  };

  const enter = (server: Server<C>, status: Status['status'], reason: string | null = null): void => {
    server.state = { status, reason };
    onStatus?.(server.key, server.state);
  };

  /** A server that worked may be started again at once by the next call; one that keeps failing turns calls away. */
  const failed = (server: Server<C>, reason: string, hadWorked: boolean): void => {
    server.failures += 1;
    server.givenUp = hadWorked && server.failures === 1 ? undefined : reason;
    const waitMs = backoffMs(server.failures - 1, FIRST_RETRY_MS, MAX_RETRY_MS);
    server.ring.add('peta', reason);
    enter(server, 3, reason);
    log.warn('A server failed', { ...server.key, reason });
    clearTimeout(server.retryTimer);
    server.retryTimer = setTimeout(() => void connected(server).catch(() => {}), waitMs);
    server.retryTimer.unref();
  };

  const adopt = (server: Server<C>, connection: C): void => {
    const since = Date.now();
    server.connection = connection;
    server.givenUp = undefined;
    server.ring.add('peta', 'Connected.');
    enter(server, 0);
    onConnected?.(server.key, connection);
    connection.onListChanged(() => {
      if (server.connection === connection) void list(server, connection);
    });
    connection.onClosed(({ kind, reason }) => {
      if (server.connection !== connection) return;
      server.connection = undefined;
      const wasSteady = Date.now() - since > STEADY_MS;
      if (wasSteady) server.failures = 0;
      if (kind === 'failed' || !wasSteady) return failed(server, reason, true);
      server.ring.add('peta', reason);
      void connected(server).catch(() => {});
    });
    void list(server, connection);
  };

  const begin = (server: Server<C>): Start<C> => {
    clearTimeout(server.retryTimer);
    enter(server, 2);
    const abort = new AbortController();
    const { signal } = abort;
    const opening = Promise.resolve().then(() => open(server.key, server.ring, signal));
    const ready = async (): Promise<C> => {
      try {
        const connection = await within(opening, startTimeoutMs, signal);
        if (signal.aborted) throw new Error(STOPPED);
        server.start = undefined;
        adopt(server, connection);
        return connection;
      } catch (error) {
        if (!signal.aborted) {
          server.start = undefined;
          failed(server, reasonOf(error), false);
          abort.abort();
        }
        throw unavailable(reasonOf(error));
      }
    };
    const connection = ready();
    const discard = () => opening.then((late) => late.close()).catch(() => {});
    return { connection, ended: connection.catch(discard), abort };
  };

  const connected = (server: Server<C>): Promise<C> => {
    if (isStopping) return Promise.reject(unavailable(STOPPED));
    if (server.connection) return Promise.resolve(server.connection);
    if (!server.start) {
      const start = begin(server);
      server.start = start;
      starts.add(start);
      void start.ended.then(() => starts.delete(start));
    }
    return server.start.connection;
  };

  const stop = async (server: Server<C>, status: 1 | 4): Promise<void> => {
    clearTimeout(server.retryTimer);
    for (const timer of server.relistTimers.values()) clearTimeout(timer);
    server.relistTimers.clear();
    server.explored.clear();
    const { connection, start } = server;
    server.connection = undefined;
    server.start = undefined;
    server.failures = 0;
    server.givenUp = undefined;
    if (connection || start) server.ring.add('peta', 'Stopped.');
    enter(server, status);
    start?.abort.abort();
    await Promise.all([connection?.close(), server.pool.closeAll()]);
  };

  /** Servers may offer more once they have heard of the client, and then say that their lists have changed. */
  const settle = async (server: Server<C>, connection: C): Promise<void> => {
    await list(server, connection);
    await sleep(SETTLE_MS);
    await server.listing;
  };

  const use = async <T>(key: ServerKey, run: (connection: C) => Promise<T>): Promise<T> => {
    const server = serverOf(key);
    if (server.connection) return run(server.connection);
    if (server.state.status === 1) throw unavailable('The server is stopped.');
    if (server.givenUp !== undefined) throw unavailable(server.givenUp);
    return run(await connected(server));
  };

  return {
    /** Lends a connection, starting the server if need be. A server that keeps failing is not waited for. */
    use,

    /** Lends a connection on which the server was told of such a client, where it is told once and not with each call. */
    lend: <T>(key: ServerKey, want: Want, run: (connection: C, hold: Hold) => Promise<T>): Promise<T> =>
      use(key, (connection) =>
        connection.isStateless ? run(connection, NO_HOLD) : serverOf(key).pool.lend(want, run),
      ),

    /** Has a server say what it lists to clients with these capabilities. Resolves once that was reported, or failed. */
    explore: (key: ServerKey, capabilities: object): Promise<void> =>
      use(key, (connection) => {
        const server = serverOf(key);
        if (!connection.isStateless) return server.pool.lend(toExplore(capabilities), (lent) => settle(server, lent));
        server.explored.set(JSON.stringify(capabilities), capabilities);
        return list(server, connection);
      }),

    /** Hands over the connections on which servers know something of this affinity's. */
    tell(affinity: string, run: (connection: C) => void): void {
      for (const { pool } of servers.values()) pool.tell(affinity, run);
    },

    /** Nobody comes again with this affinity. */
    forget(affinity: string): void {
      for (const { pool } of servers.values()) pool.forget(affinity);
    },

    /** Starts now, whatever went before. */
    async start(key: ServerKey): Promise<void> {
      const server = serverOf(key);
      server.failures = 0;
      server.givenUp = undefined;
      await connected(server);
    },

    /** Starts it if need be and waits until it has been listed, or failed. Never rejects. */
    async listed(key: ServerKey): Promise<void> {
      const server = serverOf(key);
      if (server.state.status === 1 || server.givenUp !== undefined) return;
      await connected(server).catch(() => {});
      await server.listing;
    },

    /** Stops and stays stopped until `start`. */
    stop: (key: ServerKey): Promise<void> => stop(serverOf(key), 1),

    /** Stops; the next use starts it again, with whatever its configuration is then. */
    rest: (key: ServerKey): Promise<void> => stop(serverOf(key), 4),

    async remove(key: ServerKey): Promise<void> {
      const name = `${key.workspaceId}/${key.serverId}`;
      const server = servers.get(name);
      servers.delete(name);
      if (server) await stop(server, 1);
    },

    status: (key: ServerKey): Status => serverOf(key).state,
    logs: (key: ServerKey, limit: number): LogLine[] => serverOf(key).ring.last(limit),

    /** Ends everything that was started. Starts under way are aborted, and not waited for without end. */
    async stopAll(): Promise<void> {
      isStopping = true;
      await Promise.all([...servers.values()].map((server) => stop(server, 1)));
      let timer: NodeJS.Timeout | undefined;
      const abandoned = new Promise<void>((done) => {
        timer = setTimeout(done, ABANDON_MS);
      });
      await Promise.race([Promise.all([...starts].map(({ ended }) => ended)), abandoned]);
      clearTimeout(timer);
    },
  };
};

export type Runtime<C extends Running> = ReturnType<typeof createRuntime<C>>;
