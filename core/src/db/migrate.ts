import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { makeAppRole } from './app-role.ts';
import { CONNECTION, endClient } from './connection.ts';
import { causeOf } from './unavailable.ts';

const FOLDER = `${import.meta.dirname}/migrations`;
const TABLE = { migrationsSchema: 'public', migrationsTable: 'peta_migration' };
/** Any number that no other program on this database is likely to lock. */
const LOCK = 7_382_120_261;
const OLDEST = 150_000;
const LOCK_TIMEOUT_MS = 60_000;

/** Throws a sentence for a server that is older than PostgreSQL 15. `number` as in server_version_num. */
export const refuseOldServer = (number: number, text: string): void => {
  if (number < OLDEST) throw new Error(`The database is PostgreSQL ${text}; Peta needs 15 or newer.`);
};

const checkServer = async (client: pg.Client): Promise<void> => {
  const { rows } = await client.query<{ number: string; text: string }>(
    "select current_setting('server_version_num') as number, current_setting('server_version') as text",
  );
  refuseOldServer(Number(rows[0]?.number), rows[0]?.text ?? 'of an unknown version');
};

const refuseNewerDatabase = async (client: pg.Client): Promise<void> => {
  const { rows: found } = await client.query<{ found: boolean }>(
    "select to_regclass('public.peta_migration') is not null as found",
  );
  if (!found[0]?.found) return;
  const { rows } = await client.query<{ hash: string }>('select hash from public.peta_migration');
  const known = new Set(readMigrationFiles({ migrationsFolder: FOLDER }).map(({ hash }) => hash));
  const unknown = rows.filter(({ hash }) => !known.has(hash)).length;
  if (unknown === 0) return;
  throw new Error(
    `The database belongs to a newer Peta (${unknown} of its migrations are not known here). Start that version, or restore a backup made with this one.`,
  );
};

/** What to do about a refusal of PostgreSQL, by its SQLSTATE. */
const REMEDIES: Readonly<Record<string, string>> = {
  '42P07': 'It holds tables of another program. Give Peta a database of its own: CREATE DATABASE peta;',
  '42501':
    'Peta may not make its tables there. Make the user in DATABASE_URL the owner of that database: ALTER DATABASE its-name OWNER TO that-user;',
  '55P03': 'Something has locked it for a minute, such as another Peta that is changing its tables. Try again.',
};

const withRemedy = (error: unknown): unknown => {
  const cause = causeOf(error);
  const remedy = cause instanceof Error && 'code' in cause ? REMEDIES[String(cause.code)] : undefined;
  return remedy && cause instanceof Error ? new Error(`${cause.message}. ${remedy}`, { cause: error }) : error;
};

/**
 * Brings the tables up to date; any number of processes may start at once. Touches nothing but Peta's own tables in the
 * schema `public`. Throws a sentence for a server older than PostgreSQL 15, for a database that a newer Peta has
 * changed, and for one that holds another program's tables. `isWalled` when the database itself will keep workspaces apart.
 */
export const migrateDatabase = async (url: string): Promise<{ isWalled: boolean }> => {
  const client = new pg.Client({ connectionString: url, ...CONNECTION, query_timeout: 2 * LOCK_TIMEOUT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    await checkServer(client);
    await client.query(`set lock_timeout = ${LOCK_TIMEOUT_MS}; set client_min_messages = 'warning'`);
    await client.query("select set_config('peta.workspace', '*', false)");
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await refuseNewerDatabase(client);
    await migrate(drizzle({ client }), { migrationsFolder: FOLDER, ...TABLE });
    await client.query("insert into workspace (id, name) values ('default', 'Default') on conflict (id) do nothing");
    return { isWalled: await makeAppRole(client) };
  } catch (error) {
    throw withRemedy(error);
  } finally {
    await endClient(client);
  }
};
