import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { type Log, sentenceOf } from '#lib/log';
import { backoffMs, sleep } from '#lib/sleep';

/** The id of a home: names its journal, and is what no two processes may hold. */
export const readInstanceId = async (home: string): Promise<string> => {
  const file = join(home, 'instance');
  const fresh = randomBytes(7).toString('hex');
  await writeFile(file, `${fresh}\n`, { mode: 0o600, flag: 'wx' }).catch(() => {});
  return (await readFile(file, 'utf8')).trim();
};

const taken = async (client: pg.Client, key: bigint, home: string): Promise<Error> => {
  const { rows } = await client.query<{ name: string }>(
    `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and ((l.classid::bigint << 32) | l.objid::bigint) = $1`,
    [key],
  );
  const pid = /^peta (\d+)$/.exec(rows[0]?.name ?? '')?.[1];
  return new Error(
    `Another Peta${pid ? ` (process ${pid})` : ''} is already running on ${home}. Stop it first, or set PETA_HOME to another folder.`,
  );
};

type Options = { url: string; home: string; instanceId: string; log: Log; onLost(reason: string): void };

/**
 * Makes this process the only one on `home`, for as long as its connection lives: a killed process holds nothing.
 * Throws a sentence when another holds it. When the database goes away and another takes the place meanwhile,
 * `onLost` says so.
 */
export const claimInstance = async ({ url, home, instanceId, log, onLost }: Options) => {
  const key = BigInt(`0x${instanceId}`);
  const closing = new AbortController();
  let current: pg.Client | undefined;

  const claim = async (): Promise<void> => {
    const client = new pg.Client({
      connectionString: url,
      application_name: `peta ${process.pid}`,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    client.on('error', () => {});
    await client.connect();
    // The connection of a process that was just killed may take a moment to be noticed.
    for (let attempt = 0; ; attempt += 1) {
      const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [key]);
      if (rows[0]?.got) break;
      if (attempt < 20) {
        await sleep(50);
        continue;
      }
      const error = await taken(client, key, home);
      await client.end();
      throw Object.assign(error, { isTaken: true });
    }
    client.once('end', () => void reclaim());
    current = client;
  };

  const reclaim = async (): Promise<void> => {
    for (let attempt = 0; !closing.signal.aborted; attempt += 1) {
      await sleep(backoffMs(attempt, 250, 5_000), closing.signal);
      if (closing.signal.aborted) return;
      try {
        return await claim();
      } catch (error) {
        if (error instanceof Error && 'isTaken' in error) return onLost(error.message);
        log.debug('The database is still away', { reason: sentenceOf(error) });
      }
    }
  };

  await claim();
  return {
    async release(): Promise<void> {
      closing.abort();
      await current?.end().catch(() => {});
    },
  };
};
