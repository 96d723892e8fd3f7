import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';

const FOLDER = `${import.meta.dirname}/migrations`;
const TABLE = { migrationsSchema: 'public', migrationsTable: 'peta_migration' };
/** Any number that no other program on this database is likely to lock. */
const LOCK = 7_382_120_261;
const OLDEST = 150_000;

const refuseOldServer = async (client: pg.Client): Promise<void> => {
  const { rows } = await client.query<{ number: string; text: string }>(
    "select current_setting('server_version_num') as number, current_setting('server_version') as text",
  );
  if (Number(rows[0]?.number) >= OLDEST) return;
  throw new Error(`The database is PostgreSQL ${rows[0]?.text}; Peta needs 15 or newer.`);
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

/**
 * Brings the tables up to date; any number of processes may start at once. Throws a sentence for a server older than
 * PostgreSQL 15 and for a database that a newer Peta has changed.
 */
export const migrateDatabase = async (url: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    await refuseOldServer(client);
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await refuseNewerDatabase(client);
    await client.query("set client_min_messages = 'warning'");
    await migrate(drizzle({ client }), { migrationsFolder: FOLDER, ...TABLE });
    await client.query("insert into workspace (id, name) values ('default', 'Default') on conflict (id) do nothing");
  } finally {
    await client.end();
  }
};
