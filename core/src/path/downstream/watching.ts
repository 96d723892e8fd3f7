import type { Connection } from './connection.ts';
import type { ServerKey } from './execute.ts';

type Watcher = {
  uri: string;
  listener(): void;
  connection: Pick<Connection, 'watch'>;
  leave(): void;
};

type Options = {
  use<T>(key: ServerKey, run: (connection: Pick<Connection, 'watch'>) => Promise<T>): Promise<T>;
};

const nameOf = ({ workspaceId, serverId }: ServerKey): string => `${workspaceId}/${serverId}`;

/** Who wants to hear of changes of which resources, over all connections that a server has in its life. */
export const createWatching = ({ use }: Options) => {
  const servers = new Map<string, Set<Watcher>>();

  const watchersOf = (key: ServerKey): Set<Watcher> => {
    const held = servers.get(nameOf(key)) ?? new Set<Watcher>();
    servers.set(nameOf(key), held);
    return held;
  };

  const remove = (key: ServerKey, watcher: Watcher): void => {
    const watchers = watchersOf(key);
    watchers.delete(watcher);
    if (watchers.size === 0) servers.delete(nameOf(key));
    watcher.leave();
  };

  return {
    /** Calls back when the resource changes, until the signal aborts. Rejects when the server will not tell. */
    watch: (key: ServerKey, uri: string, listener: () => void, signal: AbortSignal): Promise<void> =>
      use(key, async (connection) => {
        const leave = await connection.watch(uri, listener);
        const watcher: Watcher = { uri, listener, connection, leave };
        watchersOf(key).add(watcher);
        if (signal.aborted) return remove(key, watcher);
        signal.addEventListener('abort', () => remove(key, watcher), { once: true });
      }),

    /** A server is connected to anew: it is asked again, and what may have been missed counts as a change. */
    async connected(key: ServerKey, connection: Pick<Connection, 'watch'>): Promise<void> {
      for (const watcher of servers.get(nameOf(key)) ?? []) {
        if (watcher.connection === connection) continue;
        watcher.connection = connection;
        watcher.leave = () => {};
        await connection.watch(watcher.uri, watcher.listener).then(
          (leave) => {
            watcher.leave = leave;
            watcher.listener();
          },
          () => {},
        );
      }
    },
  };
};
