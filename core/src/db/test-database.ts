import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { silentLog } from '#lib/log';
import { connectPool } from './open.ts';

const ask = async (url: string, sql: string, values: unknown[] = []): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(sql, values).finally(() => client.end());
  return rows;
};
const admin = (sql: string) => ask(inject('postgresUrl'), sql);

/** A database of its own, with all tables. `drop` when done. */
export const createTestDatabase = async () => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await admin(`create database ${name} template peta_template`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  const db = connectPool(url.href, silentLog);
  return {
    db,
    url: url.href,
    /** As the one who owns the tables: no policy stands in the way. */
    asOwner: (sql: string, values?: unknown[]) => ask(url.href, sql, values),
    async drop() {
      await db.$client.end();
      await admin(`drop database ${name} with (force)`);
    },
  };
};
