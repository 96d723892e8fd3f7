import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { type Log, sentenceOf } from '#lib/log';
import { backoffMs, sleep } from '#lib/sleep';
import { CONNECTION, endClient } from './connection.ts';
import { readOrMakeHomeFile } from './home-file.ts';

/** The id of a home, hex: names its journal, and is what no two processes may hold. Throws a sentence. */
export const readInstanceId = async (home: string): Promise<string> => {
  const file = join(home, 'instance');
  // Seven bytes, so that it is a positive bigint for PostgreSQL.
  const id = await readOrMakeHomeFile(file, () => randomBytes(7).toString('hex'));
  if (/^[0-9a-f]{14}$/.test(id)) return id;
  throw new Error(`${file} does not hold the id of this Peta: put it back from a backup, or remove it for a new one.`);
};

/** Another process holds the home. */
export class HomeTaken extends Error {
  override readonly name = 'HomeTaken';
}

const taken = async (client: pg.Client, key: bigint, home: string): Promise<HomeTaken> => {
  const { rows } = await client.query<{ name: string }>(
    `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1
       and l.database = (select oid from pg_database where datname = current_database())
       and ((l.classid::bigint << 32) | l.objid::bigint) = $1`,
    [key],
  );
  const pid = /^peta (\d+)$/.exec(rows[0]?.name ?? '')?.[1];
  return new HomeTaken(
    `Another Peta${pid ? ` (process ${pid})` : ''} is already running on ${home}. Stop it first, or set PETA_HOME to another folder.`,
  );
};

const LOCK_ATTEMPTS = 20;
const LOCK_PAUSE_MS = 50;

/** Takes the lock. The connection of a process that was just killed may need a moment to be noticed. */
const lock = async (client: pg.Client, key: bigint, home: string): Promise<void> => {
  // Lets the server notice within half a minute that a whole machine is gone, and with it who held the lock.
  await client.query(
    `select set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
       set_config('tcp_keepalives_count', '3', false)`,
  );
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt += 1) {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [key]);
    if (rows[0]?.got) return;
    await sleep(LOCK_PAUSE_MS);
  }
  throw await taken(client, key, home);
};

type Options = { url: string; home: string; instanceId: string; log: Log; onLost(reason: string): void };

/**
 * Makes this process the only one on `home`, for as long as its connection lives: a killed process holds nothing.
 * Throws HomeTaken when another holds it. When the database goes away and another takes the place meanwhile, `onLost`
 * says so.
 */
export const claimInstance = async ({ url, home, instanceId, log, onLost }: Options) => {
  const key = BigInt(`0x${instanceId}`);
  const closing = new AbortController();

  const claim = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url, application_name: `peta ${process.pid}`, ...CONNECTION });
    client.on('error', (error) => log.debug('The connection that holds the home was lost', { reason: error.message }));
    try {
      await client.connect();
      await lock(client, key, home);
    } catch (error) {
      await endClient(client);
      throw error;
    }
    client.once('end', () => void reclaim());
    return client;
  };

  const reclaim = async (): Promise<void> => {
    for (let attempt = 0; !closing.signal.aborted; attempt += 1) {
      await sleep(backoffMs(attempt, 250, 5_000), closing.signal);
      if (closing.signal.aborted) return;
      try {
        current = await claim();
        if (closing.signal.aborted) await endClient(current);
        return;
      } catch (error) {
        if (error instanceof HomeTaken) return closing.signal.aborted ? undefined : onLost(error.message);
        log.debug('The database is still away', { reason: sentenceOf(error) });
      }
    }
  };

  let current = await claim();
  return {
    /** Gives the place up, after `last` has run while nobody else could take it. */
    async release(last?: () => Promise<void>): Promise<void> {
      closing.abort();
      await last?.();
      await endClient(current);
    },
  };
};
