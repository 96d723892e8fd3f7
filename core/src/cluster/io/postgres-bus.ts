import pg from 'pg';
import { type Log, sentenceOf } from '#lib/log';
import { backoffMs, sleep } from '#lib/sleep';
import { type Bus, Change, type Listener } from '../bus.ts';

const CHANNEL = 'peta_change';

/** The bus over LISTEN/NOTIFY, on connections of its own. Reconnects for as long as it is open. */
export const createPostgresBus = async ({ url, log }: { url: string; log: Log }): Promise<Bus> => {
  const listeners = new Set<Listener>();
  const closing = new AbortController();
  let client: pg.Client;

  const tell = (change: Change | 'missed') => {
    for (const listener of listeners) listener(change);
  };

  const receive = (payload: string | undefined) => {
    try {
      tell(Change.parse(JSON.parse(payload ?? '')));
    } catch (error) {
      log.warn('A message between replicas was not understood', { reason: sentenceOf(error) });
    }
  };

  const connect = async (): Promise<void> => {
    const fresh = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 5_000,
      application_name: 'peta bus',
      keepAlive: true,
      query_timeout: 15_000,
    });
    fresh.on('error', (error) => log.debug('The bus lost its connection', { reason: error.message }));
    fresh.on('notification', ({ payload }) => receive(payload));
    await fresh.connect();
    await fresh.query(`listen ${CHANNEL}`);
    fresh.once('end', () => void reconnect());
    client = fresh;
  };

  const reconnect = async (): Promise<void> => {
    for (let attempt = 0; !closing.signal.aborted; attempt += 1) {
      await sleep(backoffMs(attempt, 100, 5_000), closing.signal);
      if (closing.signal.aborted) return;
      try {
        await connect();
        tell('missed');
        return;
      } catch (error) {
        log.debug('The bus is still away', { reason: sentenceOf(error) });
      }
    }
  };

  await connect();
  return {
    async publish(change) {
      await client.query('select pg_notify($1, $2)', [CHANNEL, JSON.stringify(change)]);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closing.abort();
      await client.end().catch(() => {});
    },
  };
};
