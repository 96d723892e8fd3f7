import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, expect, test, vi } from 'vitest';
import { silentLog } from '#lib/log';
import { startEmbeddedPostgres } from './embedded.ts';
import { openDatabase } from './open.ts';
import { createTestDatabase } from './test-database.ts';
import { createTestHomes } from './test-homes.ts';
import { isDatabaseUnavailable } from './unavailable.ts';

const isRoot = process.getuid?.() === 0;
const homes = createTestHomes();
afterEach(homes.clean);

const open = (home: string, databaseUrl?: string) =>
  openDatabase({ databaseUrl, home, log: silentLog, onLost: (reason) => expect.unreachable(reason) });
/** The connections that hold a home, of this database. */
const HOME_LOCKS = `select pid from pg_locks where locktype = 'advisory' and granted
  and database = (select oid from pg_database where datname = current_database())`;
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

test('what was written is there after the next start', async () => {
  const home = await homes.make();
  const first = await open(home);
  await first.db.$client.query("update workspace set name = 'kept'");
  await first.close();
  const second = await open(home);
  expect(second.instanceId).toBe(first.instanceId);
  expect((await second.db.$client.query('select name from workspace')).rows).toEqual([{ name: 'kept' }]);
  await second.close();
});

test('a second Peta on one folder refuses, naming the folder and the first, which goes on', async () => {
  const home = await homes.make();
  const first = await homes.spawnOpener(home);
  await expect(open(home)).rejects.toThrow(
    `Another Peta (process ${first.pid}) is already running on ${home}. Stop it`,
  );
  const client = new pg.Client({ connectionString: first.said });
  await client.connect();
  expect((await client.query('select id from workspace')).rows).toEqual([{ id: 'default' }]);
  await client.end();
});

test('a Peta that starts while another ends gets a database that stays', async () => {
  const home = await homes.make();
  const first = await open(home);
  const closing = first.close();
  let second: Awaited<ReturnType<typeof open>> | undefined;
  while (!second)
    second = await open(home).catch((error: Error) => {
      if (!error.message.includes('already running')) throw error;
      return undefined;
    });
  await closing;
  expect((await second.db.$client.query('select id from workspace')).rows).toEqual([{ id: 'default' }]);
  await second.close();
});

test('queries fail soon while the database is away, and work again when it is back', async () => {
  const server = await homes.make();
  const first = await startEmbeddedPostgres({ home: server, log: silentLog });
  const home = await homes.make();
  const { db, close } = await open(home, first.url);
  await first.stop();
  const began = Date.now();
  expect(isDatabaseUnavailable(await failure(db.$client.query('select 1')))).toBe(true);
  expect(Date.now() - began).toBeLessThan(6_000);
  const again = await startEmbeddedPostgres({ home: server, log: silentLog });
  expect(again.url).toBe(first.url);
  expect((await db.$client.query('select id from workspace')).rows).toEqual([{ id: 'default' }]);
  await vi.waitFor(async () => {
    const { rows } = await db.$client.query(HOME_LOCKS);
    expect(rows).toHaveLength(1);
  }, 10_000);
  await expect(open(home, first.url)).rejects.toThrow('is already running on');
  await close();
  await (await open(home, first.url)).close();
}, 40_000);

test('a database that no longer says anything fails a query within twelve seconds, and is used again', async () => {
  const server = await homes.make();
  const { url, pid, leave } = await startEmbeddedPostgres({ home: server, log: silentLog });
  leave();
  const { db, close } = await open(await homes.make(), url);
  const { rows } = await db.$client.query<{ pid: number }>('select pid from pg_stat_activity');
  const processes = [pid, ...rows.map((row) => row.pid)];
  const tell = (signal: NodeJS.Signals) => {
    for (const one of processes) process.kill(one, signal);
  };
  tell('SIGSTOP');
  const began = Date.now();
  const error = await failure(db.$client.query('select 1'));
  tell('SIGCONT');
  expect(isDatabaseUnavailable(error)).toBe(true);
  expect(Date.now() - began).toBeLessThan(12_000);
  expect((await db.$client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await close();
}, 40_000);

test('who lost the home to another while the database was away is told so', async () => {
  const { url, drop } = await createTestDatabase();
  const home = await homes.make();
  const onLost = vi.fn();
  const { instanceId, close } = await openDatabase({ databaseUrl: url, home, log: silentLog, onLost });
  const other = new pg.Client({ connectionString: url, application_name: 'peta 4711' });
  await other.connect();
  await other.query(`select pg_terminate_backend(pid) from (${HOME_LOCKS}) held`);
  await other.query('select pg_advisory_lock($1)', [BigInt(`0x${instanceId}`)]);
  await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce(), 10_000);
  expect(onLost.mock.calls[0]?.[0]).toContain(`Another Peta (process 4711) is already running on ${home}`);
  await close();
  await other.end();
  await drop();
});

test('with DATABASE_URL nothing but the id is kept in the home', async () => {
  const { url, drop } = await createTestDatabase();
  const home = join(await homes.make(), 'made', 'anew');
  const { instanceId, close } = await open(home, url);
  expect((await readFile(join(home, 'instance'), 'utf8')).trim()).toBe(instanceId);
  await expect(readFile(join(home, 'postgres.password'))).rejects.toThrow('ENOENT');
  await close();
  await drop();
});

test('a database that is not there is named without its password', async () => {
  const attempt = failure(open(await homes.make(), 'postgresql://peta:hunter2@127.0.0.1:1/peta'));
  expect(await attempt).toMatchObject({
    message: expect.stringMatching(/127\.0\.0\.1:1\/peta cannot be used: .*ECONNREFUSED/),
  });
  expect(String(await attempt)).not.toContain('hunter2');
});

test('a database that refuses Peta its tables is told in one sentence, without SQL', async () => {
  const { url, asOwner, drop } = await createTestDatabase();
  const role = `guest_${process.pid}`;
  await asOwner(`drop schema public cascade; create schema public; create role ${role} login password 'guest'`);
  await asOwner(`grant usage on schema public to ${role}`);
  const guest = new URL(url);
  guest.username = role;
  guest.password = 'guest';
  await expect(open(await homes.make(), guest.href)).rejects.toThrow(
    /cannot be used: permission denied for database \w+\. Peta may not make its tables there\. Make the user in DATABASE_URL the owner/,
  );
  await asOwner(`drop owned by ${role}; drop role ${role}`);
  await drop();
});

test('a home that cannot be used is named, with what to do', async () => {
  const home = await homes.make();
  await writeFile(join(home, 'file'), '');
  await expect(open(join(home, 'file', 'below'))).rejects.toThrow(`The folder ${home}/file/below cannot be made`);
  await writeFile(join(home, 'instance'), 'not an id');
  await expect(open(home)).rejects.toThrow(`${home}/instance does not hold the id of this Peta`);
});

test.runIf(isRoot)('a home that belongs to another user is refused in words', async () => {
  const home = await homes.make();
  await mkdir(join(home, 'own'));
  await writeFile(join(home, 'own', 'instance'), '', { mode: 0o600 });
  await chmod(home, 0o755);
  await chown(home, 65_534, 65_534);
  const { said } = await homes.spawnOpener(join(home, 'own'), 65_534);
  expect(said).toContain('because the folder belongs to another user. Run Peta as the user that owns');
});
