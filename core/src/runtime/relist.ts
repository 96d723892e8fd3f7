import { backoffMs } from '#lib/sleep';
import { type Running, type RuntimeOptions, reasonOf, type Server } from './server.ts';

const FIRST_RETRY_MS = 2_000;
const MAX_RETRY_MS = 120_000;

/** Learns what servers offer, over whichever of their connections said last that it has changed. */
export const createRelist = <C extends Running>({
  collect,
  onListing,
  log,
}: Pick<RuntimeOptions<C>, 'collect' | 'onListing' | 'log'>) => {
  /** Collects one listing. False when it could not be had; then the last one stays. */
  const collectOnce = async (server: Server<C>, connection: C): Promise<boolean> => {
    const isOpen = () => server.connection === connection || server.further.has(connection);
    try {
      const listing = await collect(connection);
      if (isOpen()) await onListing(server.key, listing);
      return true;
    } catch (error) {
      if (!isOpen()) return true;
      server.ring.add('peta', `What the server offers could not be listed: ${reasonOf(error)}`);
      log.warn('A server could not be listed', { ...server.key, reason: reasonOf(error) });
      return false;
    }
  };

  /** Collects, one listing at a time, until it is what the server last said it changed to. */
  const list = (server: Server<C>, connection: C, attempt = 0): void => {
    server.stale = connection;
    const run = async (): Promise<void> => {
      for (let from = server.stale; from; from = server.stale) {
        const next = from;
        server.stale = undefined;
        clearTimeout(server.relistTimer);
        if (await collectOnce(server, next)) continue;
        const waitMs = backoffMs(attempt, FIRST_RETRY_MS, MAX_RETRY_MS);
        server.relistTimer = setTimeout(() => list(server, next, attempt + 1), waitMs);
        server.relistTimer.unref();
      }
    };
    server.listing ??= run().finally(() => {
      server.listing = undefined;
    });
  };
  return list;
};
