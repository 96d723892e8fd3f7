import type { Listing } from '#call';
import type { Log } from '#lib/log';
import { backoffMs } from '#lib/sleep';
import { createLogRing, type LogLine, type LogRing } from './log-ring.ts';

export type ServerKey = { workspaceId: string; serverId: string };

/** What the runtime needs of a connection. */
export type Running = {
  onListChanged(listener: () => void): void;
  onClosed(listener: (reason: string) => void): void;
  close(): Promise<void>;
};

/** Published numbers: 0 online, 1 offline, 2 connecting, 3 error, 4 sleeping. */
export type Status = { status: 0 | 1 | 2 | 3 | 4; reason: string | null };

export type RuntimeOptions<C extends Running> = {
  open(key: ServerKey, ring: LogRing): Promise<C>;
  collect(connection: C): Promise<Listing>;
  /** A server's list was collected. */
  onListing(key: ServerKey, listing: Listing): Promise<void>;
  onStatus?(key: ServerKey, status: Status): void;
  /** The error for a call that cannot be sent, given the reason. */
  unavailable(reason: string): Error;
  startTimeoutMs: number;
  log: Log;
};

type Server<C> = {
  key: ServerKey;
  ring: LogRing;
  state: Status;
  connection: C | undefined;
  /** While it starts: shared by everybody who waits. */
  starting: Promise<C> | undefined;
  /** The first listing after a start, whether it came or not. */
  listing: Promise<void> | undefined;
  failures: number;
  retryAt: number;
  retryTimer: NodeJS.Timeout | undefined;
  /** Counts stops, so that what was started before one does not outlive it. */
  generation: number;
};

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 120_000;
const STEADY_MS = 30_000;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const withTimeout = <T>(promise: Promise<T>, ms: number, what: string): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(what)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });

/** Starts servers when they are first needed, watches them, and starts them again with backoff when they fail. */
export const createRuntime = <C extends Running>(options: RuntimeOptions<C>) => {
  const { open, collect, onListing, onStatus, unavailable, startTimeoutMs, log } = options;
  const servers = new Map<string, Server<C>>();
  let isStopping = false;

  const serverOf = (key: ServerKey): Server<C> => {
    const name = `${key.workspaceId}/${key.serverId}`;
    const held = servers.get(name);
    if (held) return held;
    const fresh: Server<C> = {
      key,
      ring: createLogRing(() => new Date()),
      state: { status: 4, reason: null },
      connection: undefined,
      starting: undefined,
      listing: undefined,
      failures: 0,
      retryAt: 0,
      retryTimer: undefined,
      generation: 0,
    };
    servers.set(name, fresh);
    return fresh;
  };

  const enter = (server: Server<C>, status: Status['status'], reason: string | null = null): void => {
    server.state = { status, reason };
    onStatus?.(server.key, server.state);
  };

  const failed = (server: Server<C>, reason: string): void => {
    server.failures += 1;
    const waitMs = backoffMs(server.failures - 1, FIRST_RETRY_MS, MAX_RETRY_MS);
    server.retryAt = Date.now() + waitMs;
    server.ring.add('peta', reason);
    enter(server, 3, reason);
    log.warn('A server failed', { ...server.key, reason });
    if (isStopping) return;
    clearTimeout(server.retryTimer);
    server.retryTimer = setTimeout(() => void start(server).catch(() => {}), waitMs);
    server.retryTimer.unref();
  };

  const collectListing = async (server: Server<C>, connection: C): Promise<void> => {
    try {
      await onListing(server.key, await collect(connection));
    } catch (error) {
      server.ring.add('peta', `What the server offers could not be listed: ${reasonOf(error)}`);
      log.warn('A server could not be listed', { ...server.key, reason: reasonOf(error) });
    }
  };

  const adopt = (server: Server<C>, connection: C): void => {
    const since = Date.now();
    server.connection = connection;
    server.ring.add('peta', 'Connected.');
    enter(server, 0);
    connection.onListChanged(() => void collectListing(server, connection));
    connection.onClosed((reason) => {
      if (server.connection !== connection) return;
      server.connection = undefined;
      if (Date.now() - since > STEADY_MS) server.failures = 0;
      failed(server, reason);
    });
    server.listing = collectListing(server, connection);
  };

  const connect = async (server: Server<C>): Promise<C> => {
    const { generation } = server;
    clearTimeout(server.retryTimer);
    enter(server, 2);
    const opening = open(server.key, server.ring);
    try {
      const connection = await withTimeout(
        opening,
        startTimeoutMs,
        `The server was not ready within ${startTimeoutMs / 1000} s (PETA_START_TIMEOUT_SECONDS).`,
      );
      if (generation !== server.generation || isStopping) {
        await connection.close();
        throw unavailable('The server was stopped.');
      }
      adopt(server, connection);
      return connection;
    } catch (error) {
      opening.then((late) => (late === server.connection ? undefined : late.close())).catch(() => {});
      if (generation === server.generation && !isStopping) failed(server, reasonOf(error));
      throw unavailable(reasonOf(error));
    }
  };

  const start = (server: Server<C>): Promise<C> => {
    if (server.connection) return Promise.resolve(server.connection);
    server.starting ??= connect(server).finally(() => {
      server.starting = undefined;
    });
    return server.starting;
  };

  const stop = async (server: Server<C>, status: Status): Promise<void> => {
    server.generation += 1;
    clearTimeout(server.retryTimer);
    const { connection } = server;
    server.connection = undefined;
    server.failures = 0;
    if (connection || server.starting) server.ring.add('peta', 'Stopped.');
    enter(server, status.status, status.reason);
    await connection?.close();
  };

  return {
    /** Lends a connection, starting the server if need be. A server that keeps failing is not waited for. */
    async use<T>(key: ServerKey, run: (connection: C) => Promise<T>): Promise<T> {
      const server = serverOf(key);
      if (server.connection) return run(server.connection);
      if (server.state.status === 1) throw unavailable('The server is stopped.');
      const isWaiting = server.failures > 1 && Date.now() < server.retryAt && !server.starting;
      if (isWaiting) throw unavailable(server.state.reason ?? 'The server keeps failing.');
      return run(await start(server));
    },

    /** Starts now, whatever went before. */
    async start(key: ServerKey): Promise<void> {
      const server = serverOf(key);
      server.failures = 0;
      await start(server);
    },

    /** Starts it if need be and waits until it has been listed once, or failed. Never rejects. */
    async listed(key: ServerKey): Promise<void> {
      const server = serverOf(key);
      if (server.state.status === 1 || server.state.status === 3) return;
      await start(server).catch(() => {});
      await server.listing;
    },

    /** Stops and stays stopped until `start`. */
    stop: (key: ServerKey): Promise<void> => stop(serverOf(key), { status: 1, reason: null }),

    /** Stops; the next use starts it again, with whatever its configuration is then. */
    rest: (key: ServerKey): Promise<void> => stop(serverOf(key), { status: 4, reason: null }),

    async remove(key: ServerKey): Promise<void> {
      await stop(serverOf(key), { status: 1, reason: null });
      servers.delete(`${key.workspaceId}/${key.serverId}`);
    },

    status: (key: ServerKey): Status => serverOf(key).state,
    logs: (key: ServerKey, limit: number): LogLine[] => serverOf(key).ring.last(limit),

    async stopAll(): Promise<void> {
      isStopping = true;
      await Promise.all([...servers.values()].map((server) => stop(server, { status: 1, reason: null })));
      await Promise.allSettled([...servers.values()].map(({ starting }) => starting));
    },
  };
};

export type Runtime<C extends Running> = ReturnType<typeof createRuntime<C>>;
