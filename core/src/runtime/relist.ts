import { backoffMs } from '#lib/sleep';
import { type Running, type RuntimeOptions, reasonOf, type Server } from './server.ts';

const FIRST_RETRY_MS = 2_000;
const MAX_RETRY_MS = 120_000;

/** Learns what servers offer, over each of their connections that says that it has changed. */
export const createRelist = <C extends Running>({
  collect,
  onListing,
  log,
}: Pick<RuntimeOptions<C>, 'collect' | 'onListing' | 'log'>) => {
  /** For which clients the server is asked there: those that declare nothing, or such as it is told of. */
  const audiencesOf = ({ connection: first, further, explored }: Server<C>, connection: C): (object | undefined)[] =>
    first === connection ? [undefined, ...explored.values()] : [further.get(connection)];

  /** Collects what there is to collect on one connection. False when it could not be had; then the last listing stays. */
  const collectOnce = async (server: Server<C>, connection: C): Promise<boolean> => {
    const isOpen = () => server.connection === connection || server.further.has(connection);
    try {
      for (const capabilities of isOpen() ? audiencesOf(server, connection) : []) {
        const listing = await collect(connection, capabilities);
        if (!isOpen()) return true;
        await onListing(server.key, listing, capabilities);
      }
      return true;
    } catch (error) {
      if (!isOpen()) return true;
      server.ring.add('peta', `What the server offers could not be listed: ${reasonOf(error)}`);
      log.warn('A server could not be listed', { ...server.key, reason: reasonOf(error) });
      return false;
    }
  };

  /** One listing at a time, until all are what the server last said they changed to. */
  const collectStale = async (server: Server<C>): Promise<void> => {
    // What turns stale meanwhile comes at the end.
    for (const [connection, attempt] of server.stale) {
      server.stale.delete(connection);
      clearTimeout(server.relistTimers.get(connection));
      server.relistTimers.delete(connection);
      if (await collectOnce(server, connection)) continue;
      const waitMs = backoffMs(attempt, FIRST_RETRY_MS, MAX_RETRY_MS);
      const timer = setTimeout(() => list(server, connection, attempt + 1), waitMs);
      timer.unref();
      server.relistTimers.set(connection, timer);
    }
    server.listing = undefined;
  };

  /** Resolves once it is collected, or could not be and is tried again later. */
  const list = (server: Server<C>, connection: C, attempt = 0): Promise<void> => {
    server.stale.set(connection, attempt);
    server.listing ??= collectStale(server);
    return server.listing;
  };
  return list;
};
