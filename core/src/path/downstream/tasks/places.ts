import type { JsonObject, Outcome } from '#call';
import type { Connection } from '../connection.ts';
import type { LendForTask, Lent, ServerKey, Use, Want } from '../execute.ts';
import { createPlace, type Place } from './place.ts';

type Options = { use: Use; callTimeoutMs: number };
type Kept = { place: Place; expire(ms: number): void };

/** A connection is not kept for a task for longer, whatever the task's time to live. */
const MAX_KEPT_MS = 24 * 3_600_000;
/** Whoever has been told the end may ask once more. */
const TOLD_MS = 60_000;

/**
 * Where tasks of servers that keep them by connection live: the connection on which each was begun is kept for it, with
 * what it asks, until it is over and told of, or its time is up.
 */
export const createPlaces = ({ use, callTimeoutMs }: Options) => {
  const places = new Map<string, Kept>();
  const finding = new Map<string, Promise<Place | Connection>>();

  const nameOf = ({ workspaceId, serverId }: ServerKey, taskId: string): string =>
    JSON.stringify([workspaceId, serverId, taskId]);

  /** Keeps the place, and its connection, until it is not needed any more. */
  const keep = (name: string, place: Place, { connection, keep: keepOpen }: Lent, ttlMs: unknown): void => {
    const leave = keepOpen();
    let timer: NodeJS.Timeout | undefined;
    const close = () => {
      clearTimeout(timer);
      if (places.get(name)?.place === place) places.delete(name);
      place.close();
      leave();
    };
    const expire = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(close, Math.min(ms, MAX_KEPT_MS));
      timer.unref();
    };
    places.set(name, { place, expire });
    expire(typeof ttlMs === 'number' ? ttlMs : MAX_KEPT_MS);
    connection.onClosed(close);
  };

  const lend: LendForTask = (key, run, want, progressToken) => {
    const runAndKeep = async (lent: Lent): Promise<Outcome> => {
      const outcome = await run(lent);
      const { connection } = lent;
      if (outcome.kind !== 'task' || connection.isStateless) return outcome;
      const { taskId, ttlMs } = outcome.task;
      keep(nameOf(key, taskId), createPlace({ connection, taskId, callTimeoutMs, progressToken }), lent, ttlMs);
      return outcome;
    };
    return use(key, runAndKeep, want);
  };

  /** Where nobody knows the place any more, such as after a restart: any connection for such a client. */
  const findAnew = (key: ServerKey, taskId: string, want: Want | undefined, ttlMs: unknown) => {
    const find = async (lent: Lent): Promise<Place | Connection> => {
      const { connection } = lent;
      if (connection.isStateless) return connection;
      const place = createPlace({ connection, taskId, callTimeoutMs });
      keep(nameOf(key, taskId), place, lent, ttlMs);
      return place;
    };
    return use(key, find, want);
  };

  return {
    /** Runs a call that may begin a task, on a connection that is kept if it does. */
    lend,

    /** Where the task is to be asked for: its place, or a connection to a server that keeps tasks by their id alone. */
    async find(key: ServerKey, taskId: string, want: Want | undefined, state: JsonObject): Promise<Place | Connection> {
      const name = nameOf(key, taskId);
      const held = places.get(name);
      if (held) return held.place;
      const found = finding.get(name) ?? findAnew(key, taskId, want, state.ttlMs).finally(() => finding.delete(name));
      finding.set(name, found);
      return found;
    },

    /** Its end was told, or it is not there: the connection need not be kept for it for long. */
    told(key: ServerKey, taskId: string): void {
      places.get(nameOf(key, taskId))?.expire(TOLD_MS);
    },
  };
};

export type Places = ReturnType<typeof createPlaces>;
