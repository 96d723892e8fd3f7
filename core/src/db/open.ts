import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import type { Log } from '#lib/log';
import { type Database, schema } from './db.ts';
import { startEmbeddedPostgres } from './embedded.ts';
import { claimInstance, readInstanceId } from './instance.ts';
import { migrateDatabase } from './migrate.ts';

const POOL = {
  max: 20,
  connectionTimeoutMillis: 5_000,
  idleTimeoutMillis: 30_000,
  query_timeout: 15_000,
  statement_timeout: 15_000,
  keepAlive: true,
};

/** A pool that outlives its server: lost connections are dropped, new ones made when it is back. */
export const connectPool = (url: string, log: Log): Database => {
  const pool = new pg.Pool({ connectionString: url, ...POOL });
  pool.on('error', (error) => log.warn('A database connection was lost', { reason: error.message }));
  return drizzle({ client: pool, schema });
};

type Options = { databaseUrl: string | undefined; home: string; log: Log; onLost(reason: string): void };

/** Everything between nothing and a database that is ours and up to date. Throws sentences. */
export const openDatabase = async ({ databaseUrl, home, log, onLost }: Options) => {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const instanceId = await readInstanceId(home);
  const embedded = databaseUrl === undefined ? await startEmbeddedPostgres({ home, log }) : undefined;
  const url = databaseUrl ?? embedded?.url ?? '';
  try {
    const claim = await claimInstance({ url, home: resolve(home), instanceId, log, onLost });
    try {
      await migrateDatabase(url);
    } catch (error) {
      await claim.release();
      await embedded?.stop();
      throw error;
    }
    const db = connectPool(url, log);
    return {
      db,
      url,
      instanceId,
      /** The process id of the PostgreSQL that is ours to stop, if it is. */
      postgresPid: embedded?.pid,
      async close(): Promise<void> {
        await db.$client.end();
        await claim.release();
        await embedded?.stop();
      },
    };
  } catch (error) {
    if (error instanceof Error && 'isTaken' in error) throw error;
    if (databaseUrl === undefined) throw error;
    const reason =
      error instanceof Error ? error.message || ('code' in error ? String(error.code) : '') : String(error);
    throw new Error(`The database at ${withoutPassword(databaseUrl)} cannot be used: ${reason}`, { cause: error });
  }
};

const withoutPassword = (url: string): string => {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
};

export type OpenDatabase = Awaited<ReturnType<typeof openDatabase>>;
