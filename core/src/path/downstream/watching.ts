import type { Connection } from './connection.ts';
import type { ServerKey } from './execute.ts';

type Watched = Pick<Connection, 'watch' | 'onClosed'>;
type Watcher = { uri: string; listener(): void; leaves: Map<Watched, () => void>; isOver: boolean };
type Known = { watchers: Set<Watcher>; connections: Set<Watched> };

type Options = {
  use<T>(key: ServerKey, run: (connection: Watched) => Promise<T>): Promise<T>;
};

/** Several connections tell of one change within about so long. */
const TOGETHER_MS = 50;

const nameOf = ({ workspaceId, serverId }: ServerKey): string => `${workspaceId}/${serverId}`;

/** Calls back at once, or, while several tell, once for all that they tell within a moment. */
const together = (listener: () => void, isSeveral: () => boolean): (() => void) => {
  let isSoon = false;
  return () => {
    if (!isSeveral()) return listener();
    if (isSoon) return;
    isSoon = true;
    setTimeout(() => {
      isSoon = false;
      listener();
    }, TOGETHER_MS);
  };
};

/**
 * Who wants to hear of changes of which resources, over all connections that a server has in its life. A call changes
 * things in the process that it runs in, so each connection is asked to tell.
 */
export const createWatching = ({ use }: Options) => {
  const servers = new Map<string, Known>();

  const knownOf = (key: ServerKey): Known => {
    const known = servers.get(nameOf(key)) ?? { watchers: new Set(), connections: new Set() };
    servers.set(nameOf(key), known);
    return known;
  };

  const forgetIfEmpty = (key: ServerKey): void => {
    const { watchers, connections } = knownOf(key);
    if (watchers.size === 0 && connections.size === 0) servers.delete(nameOf(key));
  };

  const join = async (watcher: Watcher, connection: Watched): Promise<void> => {
    if (watcher.leaves.has(connection)) return;
    const leave = await connection.watch(watcher.uri, watcher.listener);
    if (watcher.isOver) leave();
    else watcher.leaves.set(connection, leave);
  };

  const remove = (key: ServerKey, watcher: Watcher): void => {
    watcher.isOver = true;
    knownOf(key).watchers.delete(watcher);
    forgetIfEmpty(key);
    for (const leave of watcher.leaves.values()) leave();
    watcher.leaves.clear();
  };

  return {
    /** Calls back when the resource changes, until the signal aborts. Rejects when the server will not tell. */
    watch: (key: ServerKey, uri: string, listener: () => void, signal: AbortSignal): Promise<void> =>
      use(key, async (connection) => {
        const leaves: Watcher['leaves'] = new Map();
        const told = together(
          () => !watcher.isOver && listener(),
          () => leaves.size > 1,
        );
        const watcher: Watcher = { uri, listener: told, leaves, isOver: false };
        await join(watcher, connection);
        const { watchers, connections } = knownOf(key);
        watchers.add(watcher);
        await Promise.all([...connections].map((other) => join(watcher, other).catch(() => {})));
        if (signal.aborted) return remove(key, watcher);
        signal.addEventListener('abort', () => remove(key, watcher), { once: true });
      }),

    /** A connection is there. Where there was none before, what may have been missed counts as a change. */
    async connected(key: ServerKey, connection: Watched): Promise<void> {
      const { watchers, connections } = knownOf(key);
      connections.add(connection);
      connection.onClosed(() => {
        connections.delete(connection);
        for (const { leaves } of watchers) leaves.delete(connection);
        forgetIfEmpty(key);
      });
      for (const watcher of watchers) {
        const wasDeaf = watcher.leaves.size === 0;
        await join(watcher, connection).then(
          () => wasDeaf && watcher.listener(),
          () => {},
        );
      }
    },
  };
};
