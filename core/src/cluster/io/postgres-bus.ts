import pg from 'pg';
import { type Log, sentenceOf } from '#lib/log';
import { backoffMs, sleep } from '#lib/sleep';
import { Unavailable } from '#lib/unavailable';
import { type Bus, Change, type Listener } from '../bus.ts';

const CHANNEL = 'peta_change';
const PUBLISH_TIMEOUT_MS = 5_000;
const END_TIMEOUT_MS = 1_000;

const CONNECTION = {
  application_name: 'peta bus',
  connectionTimeoutMillis: 5_000,
  query_timeout: 5_000,
  // A server that vanished without a word is noticed within half a minute.
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};

const end = (client: pg.Client): Promise<unknown> =>
  Promise.race([client.end().catch(() => {}), sleep(END_TIMEOUT_MS)]);

/**
 * The bus over LISTEN/NOTIFY, on a connection of its own; reconnects for as long as it is open. A change that could not
 * be sent is an error for who published it, and is sent all the same once the connection is back.
 */
export const createPostgresBus = async ({ url, log }: { url: string; log: Log }): Promise<Bus> => {
  const listeners = new Set<Listener>();
  const unsent = new Set<string>();
  const closing = new AbortController();

  const tell = (change: Change | 'missed') => {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        log.error('A change could not be followed', { reason: sentenceOf(error) });
      }
    }
  };

  const read = (payload: string | undefined): Change | undefined => {
    try {
      return Change.parse(JSON.parse(payload ?? ''));
    } catch (error) {
      log.warn('A message between replicas was not understood', { reason: sentenceOf(error) });
    }
  };

  const notify = (client: pg.Client, payload: string) => client.query('select pg_notify($1, $2)', [CHANNEL, payload]);

  const sendUnsent = async (client: pg.Client): Promise<void> => {
    try {
      for (const payload of unsent) {
        await notify(client, payload);
        unsent.delete(payload);
      }
    } catch {
      // Ending it makes a new connection, which tries again.
      await end(client);
    }
  };

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url, ...CONNECTION });
    client.on('error', (error) => log.debug('The bus lost its connection', { reason: error.message }));
    client.on('notification', ({ payload }) => {
      const change = read(payload);
      if (change) tell(change);
    });
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
    } catch (error) {
      await end(client);
      throw error;
    }
    client.once('end', () => {
      connected = reconnect();
    });
    return client;
  };

  const reconnect = async (): Promise<pg.Client | undefined> => {
    for (let attempt = 0; ; attempt += 1) {
      await sleep(backoffMs(attempt, 100, 5_000), closing.signal);
      if (closing.signal.aborted) return undefined;
      try {
        const client = await connect();
        if (closing.signal.aborted) {
          await end(client);
          return undefined;
        }
        tell('missed');
        void sendUnsent(client);
        return client;
      } catch (error) {
        log.debug('The bus is still away', { reason: sentenceOf(error) });
      }
    }
  };

  /** The connection, or undefined when there is none within the time that somebody may be kept waiting. */
  const current = async (): Promise<pg.Client | undefined> => {
    const waited = new AbortController();
    const timeout = sleep(PUBLISH_TIMEOUT_MS, waited.signal).then(() => undefined);
    return Promise.race([connected, timeout]).finally(() => waited.abort());
  };

  let connected: Promise<pg.Client | undefined> = Promise.resolve(await connect());
  return {
    async publish(change) {
      const payload = JSON.stringify(change);
      const client = await current();
      try {
        if (!client) throw new Error('there is no connection');
        await notify(client, payload);
      } catch (cause) {
        if (closing.signal.aborted) return;
        if (cause instanceof pg.DatabaseError && !cause.code?.startsWith('57P')) throw cause;
        unsent.add(payload);
        if (client) void end(client);
        else void connected.then((late) => late && sendUnsent(late));
        log.warn('A change will reach the replicas only when the database is back', { reason: sentenceOf(cause) });
        throw new Unavailable('Peta cannot reach its database right now. Try again in a moment.', { cause });
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closing.abort();
      const client = await Promise.race([connected, sleep(END_TIMEOUT_MS)]);
      if (client) await end(client);
    },
  };
};
