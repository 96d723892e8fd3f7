import type { Client } from '@modelcontextprotocol/client';
import type { JsonObject } from '#call';
import { keepSubscribed } from './list-changes.ts';

type Options = {
  client: Client;
  isStateless: boolean;
  request(method: string, params: JsonObject): Promise<unknown>;
};

type Watch = { listeners: Set<() => void>; ready: Promise<unknown>; end: AbortController };

/** Resources of one connection whose changes somebody wants to hear of; the server is asked once for each. */
export const createWatches = ({ client, isStateless, request }: Options) => {
  const watches = new Map<string, Watch>();

  const tell = (listeners: ReadonlySet<() => void>) => {
    for (const listener of listeners) listener();
  };

  const begin = (uri: string): Watch => {
    const end = new AbortController();
    const listeners = new Set<() => void>();
    const listen = async () => {
      const filter = { resourceSubscriptions: [uri] };
      const first = await client.listen(filter, { signal: end.signal });
      void keepSubscribed(client, filter, end.signal, () => tell(listeners), first);
    };
    const ready = isStateless ? listen() : request('resources/subscribe', { uri });
    return { listeners, ready, end };
  };

  const stop = (uri: string, watch: Watch): void => {
    watches.delete(uri);
    watch.end.abort();
    if (!isStateless) void request('resources/unsubscribe', { uri }).catch(() => {});
  };

  return {
    /** Calls back when the resource changes. Returns the function that ends it; rejects when the server will not tell. */
    async watch(uri: string, listener: () => void): Promise<() => void> {
      const watch = watches.get(uri) ?? begin(uri);
      watches.set(uri, watch);
      watch.listeners.add(listener);
      const leave = () => {
        if (watch.listeners.delete(listener) && watch.listeners.size === 0) stop(uri, watch);
      };
      try {
        await watch.ready;
        return leave;
      } catch (error) {
        watches.delete(uri);
        throw error;
      }
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
