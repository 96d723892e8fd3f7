import { sql } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from './test-database.ts';
import { isDatabaseUnavailable, withDatabase } from './unavailable.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const client = async (settings: pg.ClientConfig = {}) => {
  const made = new pg.Client({ connectionString: database.url, ...settings });
  made.on('error', () => {});
  await made.connect();
  return made;
};

test('a wrong question is not a database that is away', async () => {
  for (const wrong of ['select nonsense', 'select 1 / 0', 'this is not sql'])
    expect(isDatabaseUnavailable(await failure(database.db.execute(sql.raw(wrong))))).toBe(false);
  expect(isDatabaseUnavailable(new Error('Connection terminated by a tool, it says'))).toBe(false);
  expect(isDatabaseUnavailable('ECONNREFUSED')).toBe(false);
});

test('a server that is not there, under one address or several, is a database that is away', async () => {
  for (const host of ['127.0.0.1', 'localhost', 'no-such-host.invalid'])
    expect(isDatabaseUnavailable(await failure(new pg.Client({ host, port: 1 }).connect()))).toBe(true);
});

test('a connection that is cut, gone or slow is a database that is away', async () => {
  const cut = await client();
  expect(isDatabaseUnavailable(await failure(cut.query('select pg_terminate_backend(pg_backend_pid())')))).toBe(true);
  expect(isDatabaseUnavailable(await failure(cut.query('select 1')))).toBe(true);
  const left = await client();
  await left.end();
  expect(isDatabaseUnavailable(await failure(left.query('select 1')))).toBe(true);
  const slow = await client({ query_timeout: 50 });
  expect(isDatabaseUnavailable(await failure(slow.query('select pg_sleep(0.3)')))).toBe(true);
  await slow.end();
  const limited = await client({ statement_timeout: 50 });
  expect(isDatabaseUnavailable(await failure(limited.query('select pg_sleep(5)')))).toBe(true);
  await limited.end();
});

test('who asks hears one sentence that tells nothing of the database', async () => {
  const gone = () =>
    database.db.execute(sql`select set_config('role', 'none', false), pg_terminate_backend(pg_backend_pid())`);
  await expect(withDatabase(gone)).rejects.toThrow(
    /^Peta cannot reach its database right now\. Try again in a moment\.$/,
  );
});
