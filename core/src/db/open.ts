import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import type { Log } from '#lib/log';
import { sleep } from '#lib/sleep';
import { CONNECTION } from './connection.ts';
import { type Database, schema } from './db.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts';
import { claimInstance, HomeTaken, readInstanceId } from './instance.ts';
import { migrateDatabase } from './migrate.ts';
import { causeOf, isDatabaseUnavailable } from './unavailable.ts';
import { wall } from './wall.ts';

/** The server gives a statement up before we give the server up; both before whoever asks loses patience. */
const POOL = { ...CONNECTION, max: 20, idleTimeoutMillis: 30_000, statement_timeout: 8_000, query_timeout: 10_000 };
const POOL_END_TIMEOUT_MS = 3_000;
const ATTEMPTS = 3;
const UNWALLED =
  'The user in DATABASE_URL is bound by no row-level security and may not make a role that is, so only Peta itself keeps workspaces apart, not also the database. Use an ordinary user that owns the database.';

/** A pool that outlives its server: lost connections are dropped, new ones made when it is back. */
export const connectPool = (url: string, log: Log): Database => {
  const pool = new pg.Pool({ connectionString: url, ...POOL });
  pool.on('error', (error) => log.warn('A database connection was lost', { reason: error.message }));
  wall(pool);
  return drizzle({ client: pool, schema });
};

type Options = { databaseUrl: string | undefined; home: string; log: Log; onLost(reason: string): void };
type Known = Options & { instanceId: string };
type Server = { url: string; embedded?: EmbeddedPostgres };

/** Claims the home, brings the tables up to date and connects, on a server that runs. */
const attach = async ({ url, embedded }: Server, { home, instanceId, log, onLost }: Known) => {
  let isLost = false;
  const lost = (reason: string) => {
    isLost = true;
    embedded?.leave();
    onLost(reason);
  };
  const claim = await claimInstance({ url, home, instanceId, log, onLost: lost });
  // While the home is still held: a Peta that starts at this moment must not build on what is about to end.
  const release = () => claim.release(async () => (isLost ? undefined : embedded?.stop()));
  try {
    const { isWalled } = await migrateDatabase(url);
    if (!isWalled) log.warn(UNWALLED);
  } catch (error) {
    await release();
    throw error;
  }
  embedded?.watch();
  const db = connectPool(url, log);
  return {
    db,
    url,
    instanceId,
    async close(): Promise<void> {
      const waited = new AbortController();
      await Promise.race([db.$client.end(), sleep(POOL_END_TIMEOUT_MS, waited.signal)]);
      waited.abort();
      await release();
    },
  };
};

const openEmbedded = async (known: Known) => {
  for (let attempt = 1; ; attempt += 1) {
    const embedded = await startEmbeddedPostgres(known);
    try {
      return await attach({ url: embedded.url, embedded }, known);
    } catch (error) {
      embedded.leave();
      // A Peta that is just ending took its PostgreSQL with it.
      if (attempt >= ATTEMPTS || !isDatabaseUnavailable(error)) throw error;
    }
  }
};

const openGiven = async (url: string, known: Known) => {
  try {
    return await attach({ url }, known);
  } catch (error) {
    if (error instanceof HomeTaken) throw error;
    throw new Error(`The database at ${withoutPassword(url)} cannot be used: ${reasonOf(error)}`, { cause: error });
  }
};

const reasonOf = (error: unknown): string => {
  const cause = causeOf(error);
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return cause instanceof Error ? cause.message || code : String(cause);
};

const withoutPassword = (url: string): string => {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
};

const makeHome = async (home: string): Promise<void> => {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The folder ${home} cannot be made (${reason}). Set PETA_HOME to a folder that can.`, { cause });
  }
};

/**
 * Everything between nothing and a database that is ours and up to date: the server at `databaseUrl`, or one of Peta's
 * own below `home`. `onLost` is told when another Peta has taken the home while the database was away. Throws sentences.
 */
export const openDatabase = async (options: Options) => {
  const home = resolve(options.home);
  await makeHome(home);
  const known = { ...options, home, instanceId: await readInstanceId(home) };
  return options.databaseUrl === undefined ? openEmbedded(known) : openGiven(options.databaseUrl, known);
};
