import type pg from 'pg';
import { sleep } from '#lib/sleep';

/** What every connection has: a server that vanished without a word is noticed within half a minute. */
export const CONNECTION = {
  connectionTimeoutMillis: 5_000,
  query_timeout: 20_000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
} as const;

const END_TIMEOUT_MS = 1_000;

/** Ends a connection, whatever its state; does not wait for a server that does not answer. */
export const endClient = async (client: pg.Client): Promise<void> => {
  const waited = new AbortController();
  await Promise.race([client.end().catch(() => {}), sleep(END_TIMEOUT_MS, waited.signal)]);
  waited.abort();
};
