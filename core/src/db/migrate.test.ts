import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterEach, expect, inject, test } from 'vitest';
import { migrateDatabase, refuseOldServer } from './migrate.ts';
import { createTestDatabase } from './test-database.ts';

const ask = async (url: string, sql: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(sql).finally(() => client.end());
  return rows;
};
const TABLES = "select table_name from information_schema.tables where table_schema = 'public' order by 1";

const made: string[] = [];
const emptyDatabase = async (): Promise<string> => {
  const name = `empty_${randomBytes(6).toString('hex')}`;
  await ask(inject('postgresUrl'), `create database ${name}`);
  made.push(name);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return url.href;
};
afterEach(async () => {
  for (const name of made.splice(0)) await ask(inject('postgresUrl'), `drop database ${name} with (force)`);
});

test('any number of processes migrate an empty database at once', async () => {
  const url = await emptyDatabase();
  await Promise.all(Array.from({ length: 12 }, () => migrateDatabase(url)));
  expect(await ask(url, 'select id, name from workspace')).toEqual([{ id: 'default', name: 'Default' }]);
  const [once] = await ask(url, 'select count(*)::int - count(distinct hash)::int as twice from peta_migration');
  expect(once).toEqual({ twice: 0 });
});

test('a database that a newer Peta has changed is refused', async () => {
  const { url, asOwner, drop } = await createTestDatabase();
  await asOwner("insert into public.peta_migration (hash, created_at) values ('from the future', 1)");
  await expect(migrateDatabase(url)).rejects.toThrow('newer Peta (1 of its migrations');
  await drop();
});

test('a database with tables of another program is refused and left as it was', async () => {
  const url = await emptyDatabase();
  await ask(url, 'create table "user" (theirs text)');
  await expect(migrateDatabase(url)).rejects.toThrow(
    'relation "user" already exists. It holds tables of another program. Give Peta a database of its own',
  );
  expect(await ask(url, `${TABLES}`)).not.toContainEqual({ table_name: 'workspace' });
});

test('a server older than PostgreSQL 15 is refused, and 15 is not', () => {
  expect(() => refuseOldServer(140_012, '14.12')).toThrow('The database is PostgreSQL 14.12; Peta needs 15 or newer.');
  expect(() => refuseOldServer(150_000, '15.0')).not.toThrow();
});
