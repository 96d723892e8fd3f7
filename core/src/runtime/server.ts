import type { Listing } from '#call';
import type { Log } from '#lib/log';
import type { LogRing } from './log-ring.ts';
import type { Pool } from './pool.ts';

export type ServerKey = { workspaceId: string; serverId: string };

/** What the runtime needs of a connection. */
export type Running = {
  /** It keeps nothing between requests, so that one connection serves everybody. */
  isStateless: boolean;
  onListChanged(listener: () => void): void;
  /** `expired`: the server is well, but the next request needs a new connection. */
  onClosed(listener: (ending: { kind: 'failed' | 'expired'; reason: string }) => void): void;
  close(): Promise<void>;
};

/** Published numbers: 0 online, 1 offline, 2 connecting, 3 error, 4 sleeping. */
export type Status = { status: 0 | 1 | 2 | 3 | 4; reason: string | null };

export type RuntimeOptions<C extends Running> = {
  /**
   * Connects to the server, and gives up and cleans up once `signal` aborts. With `capabilities` it is a further
   * connection, for clients that declared these.
   */
  open(key: ServerKey, ring: LogRing, signal: AbortSignal, capabilities?: object): Promise<C>;
  /** A connection is there: the first, a new one after a break, or a further one. */
  onConnected?(key: ServerKey, connection: C): void;
  /** With `capabilities`, as for clients that declared these. */
  collect(connection: C, capabilities?: object): Promise<Listing>;
  /** A server's list was collected; with `capabilities`, what it lists to clients that declared these. */
  onListing(key: ServerKey, listing: Listing, capabilities?: object): Promise<void>;
  onStatus?(key: ServerKey, status: Status): void;
  /** The error for a call that cannot be sent, given the reason. */
  unavailable(reason: string): Error;
  startTimeoutMs: number;
  /** Of one server there are at most so many connections beside the first. */
  maxInstances: number;
  /** How long a call waits for one of these. */
  instanceWaitMs: number;
  log: Log;
};

/** A start under way: `connection` is shared by everybody who waits, `ended` resolves once it left nothing behind. */
export type Start<C> = { connection: Promise<C>; ended: Promise<unknown>; abort: AbortController };

export type Server<C extends Running> = {
  key: ServerKey;
  ring: LogRing;
  state: Status;
  connection: C | undefined;
  /** Those of the pool, and for clients with which capabilities they are. */
  further: Map<C, object>;
  /** Other capabilities as for which the first connection is asked what there is, if it is stateless; by their JSON. */
  explored: Map<string, object>;
  start: Start<C> | undefined;
  /** While what it offers is being collected. */
  listing: Promise<void> | undefined;
  /** The connections that said that lists changed, until they are collected there, and how often that failed so far. */
  stale: Map<C, number>;
  /** Of connections whose lists could not be had. */
  relistTimers: Map<C, NodeJS.Timeout>;
  /** In a row. */
  failures: number;
  /** Why calls are turned away until it works again; undefined when they may wait for it. */
  givenUp: string | undefined;
  retryTimer: NodeJS.Timeout | undefined;
  pool: Pool<C>;
};

export const STOPPED = 'The server was stopped.';

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Rejects once the time is over or the signal aborts, whatever becomes of the promise. */
export const within = <T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const late = `The server was not ready within ${ms / 1000} s (PETA_START_TIMEOUT_SECONDS).`;
    const timer = setTimeout(() => reject(new Error(late)), ms);
    const abort = () => reject(new Error(STOPPED));
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    });
  });
