import type { Client } from '@modelcontextprotocol/client';
import type { JsonObject } from '#call';
import { RpcError } from './errors.ts';
import { keepSubscribed } from './list-changes.ts';

type Options = {
  client: Pick<Client, 'listen'>;
  isStateless: boolean;
  request(method: string, params: JsonObject): Promise<unknown>;
};

type Watch = { listeners: Set<() => void>; ready: Promise<unknown>; end: AbortController };

const INVALID_PARAMS = -32602;

/** Resources of one connection whose changes somebody wants to hear of; the server is asked once for each. */
export const createWatches = ({ client, isStateless, request }: Options) => {
  const watches = new Map<string, Watch>();
  /** So that a server is not told to stop after it was told to begin again. */
  const stopping = new Map<string, Promise<unknown>>();

  const tell = (listeners: ReadonlySet<() => void>) => {
    for (const listener of listeners) listener();
  };

  const listen = async (uri: string, { listeners, end }: Omit<Watch, 'ready'>): Promise<void> => {
    const filter = { resourceSubscriptions: [uri] };
    const first = await client.listen(filter, { signal: end.signal });
    if (!first.honoredFilter.resourceSubscriptions?.includes(uri)) {
      end.abort();
      throw new RpcError(INVALID_PARAMS, 'The server does not tell of changes of this resource.', { uri });
    }
    void keepSubscribed(client, filter, end.signal, () => tell(listeners), first);
  };

  const begin = (uri: string): Watch => {
    const fresh = { listeners: new Set<() => void>(), end: new AbortController() };
    const subscribe = async () => {
      await stopping.get(uri);
      await request('resources/subscribe', { uri });
    };
    return { ...fresh, ready: isStateless ? listen(uri, fresh) : subscribe() };
  };

  const stop = (uri: string, watch: Watch): void => {
    watches.delete(uri);
    watch.end.abort();
    if (isStateless) return;
    const stopped = request('resources/unsubscribe', { uri })
      .catch(() => {})
      .finally(() => {
        if (stopping.get(uri) === stopped) stopping.delete(uri);
      });
    stopping.set(uri, stopped);
  };

  return {
    /** Calls back when the resource changes. Returns the function that ends it; rejects when the server will not tell. */
    async watch(uri: string, listener: () => void): Promise<() => void> {
      const watch = watches.get(uri) ?? begin(uri);
      watches.set(uri, watch);
      // One listener may be here more than once.
      const own = () => listener();
      watch.listeners.add(own);
      try {
        await watch.ready;
      } catch (error) {
        if (watches.get(uri) === watch) watches.delete(uri);
        throw error;
      }
      return () => {
        if (watch.listeners.delete(own) && watch.listeners.size === 0 && watches.get(uri) === watch) stop(uri, watch);
      };
    },

    /** A resource has changed; a server may name a part of what it was asked to watch. */
    updated(uri: string): void {
      for (const [watched, { listeners }] of watches)
        if (uri === watched || uri.startsWith(`${watched}/`)) tell(listeners);
    },

    close(): void {
      for (const { end } of watches.values()) end.abort();
      watches.clear();
    },
  };
};
