import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { silentLog } from '#lib/log';
import { connectPool } from './open.ts';

const admin = async (sql: string): Promise<void> => {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  await client.query(sql);
  await client.end();
};

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
    async drop() {
      await db.$client.end();
      await admin(`drop database ${name} with (force)`);
    },
  };
};
