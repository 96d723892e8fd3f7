import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, afterEach, expect, inject, test } from 'vitest';
import { silentLog } from '#lib/log';
import { startEmbeddedPostgres } from './embedded.ts';
import { migrateDatabase } from './migrate.ts';
import { openDatabase } from './open.ts';
import { createTestDatabase } from './test-database.ts';
import { isDatabaseUnavailable } from './unavailable.ts';

const homes: string[] = [];
const children: ChildProcess[] = [];
const newHome = async (below = tmpdir()) => {
  const home = await mkdtemp(join(below, 'peta-db-'));
  homes.push(home);
  return home;
};
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  for (const home of homes) {
    const left = await startEmbeddedPostgres({ home, log: silentLog }).catch(() => undefined);
    await left?.stop();
    await rm(home, { recursive: true, force: true });
  }
});

const open = (home: string) =>
  openDatabase({ databaseUrl: undefined, home, log: silentLog, onLost: (reason) => expect.unreachable(reason) });

/** A real process that opens the database of `home` and says so. */
const OPENER = `
  import { openDatabase } from ${JSON.stringify(join(import.meta.dirname, 'open.ts'))};
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  try {
    const { url } = await openDatabase({ databaseUrl: undefined, home: process.argv[1], log, onLost() {} });
    console.log(url);
    setInterval(() => {}, 1000);
  } catch (error) { console.log(error.message); process.exit(1); }`;
const spawnOpener = async (home: string, uid?: number) => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', OPENER, home], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  children.push(child);
  const said = await new Promise<string>((done) => createInterface({ input: child.stdout }).once('line', done));
  return { child, said };
};

test('the database starts below a home that only root can walk, with a password nobody else can read', async () => {
  const home = await newHome(process.getuid?.() === 0 ? homedir() : tmpdir());
  const { db, url, close } = await open(home);
  expect(new URL(url).hostname).toBe('127.0.0.1');
  expect((await stat(join(home, 'postgres.password'))).mode & 0o777).toBe(0o600);
  const { rows } = await db.$client.query('show server_version_num');
  expect(Number(rows[0].server_version_num)).toBeGreaterThanOrEqual(180_000);
  await close();
  await expect(stat(join(home, 'postgres', 'postmaster.pid'))).rejects.toThrow();
});

test('what was written is there after the next start', async () => {
  const home = await newHome();
  const first = await open(home);
  await first.db.$client.query("update workspace set name = 'kept'");
  await first.close();
  const second = await open(home);
  expect((await second.db.$client.query('select name from workspace')).rows).toEqual([{ name: 'kept' }]);
  await second.close();
});

test('the database of a Peta that was killed is taken over with all it holds', async () => {
  const home = await newHome();
  const { child, said } = await spawnOpener(home);
  const client = new pg.Client({ connectionString: said });
  await client.connect();
  await client.query("update workspace set name = 'from before'");
  await client.end();
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
  const before = await readFile(join(home, 'postgres', 'postmaster.pid'), 'utf8');
  const { db, close } = await open(home);
  expect(await readFile(join(home, 'postgres', 'postmaster.pid'), 'utf8')).toBe(before);
  expect((await db.$client.query('select name from workspace')).rows).toEqual([{ name: 'from before' }]);
  await close();
});

test('a second Peta on one folder refuses, naming the folder and the first', async () => {
  const home = await newHome();
  const { child } = await spawnOpener(home);
  await expect(open(home)).rejects.toThrow(`Another Peta (process ${child.pid}) is already running on ${home}`);
});

test.runIf(process.getuid?.() === 0)('an ordinary user starts it too', async () => {
  const home = await newHome();
  await chown(home, 65_534, 65_534);
  await chmod(home, 0o700);
  const { said } = await spawnOpener(home, 65_534);
  expect(said).toMatch(/^postgresql:/);
});

test('any number of processes migrate an empty database at once', async () => {
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query('create database concurrent');
  const url = new URL(inject('postgresUrl'));
  url.pathname = '/concurrent';
  await Promise.all(Array.from({ length: 12 }, () => migrateDatabase(url.href)));
  await admin.query('drop database concurrent with (force)');
  await admin.end();
});

test('a database that a newer Peta has changed is refused', async () => {
  const { url, db, drop } = await createTestDatabase();
  await db.$client.query("insert into public.peta_migration (hash, created_at) values ('from the future', 1)");
  await expect(migrateDatabase(url)).rejects.toThrow('newer Peta');
  await drop();
});

test('a database that is not there is named without its password', async () => {
  const home = await newHome();
  const databaseUrl = 'postgresql://peta:hunter2@127.0.0.1:1/peta';
  const failure = openDatabase({ databaseUrl, home, log: silentLog, onLost() {} });
  await expect(failure).rejects.toThrow('127.0.0.1:1/peta cannot be used');
  await expect(failure).rejects.not.toThrow('hunter2');
  homes.pop();
  await rm(home, { recursive: true });
});

test('a database that goes away is told from a wrong question, and is used again when it is back', async () => {
  const home = await newHome();
  const { db, close } = await open(home);
  const wrong = await db.$client.query('select nonsense').catch((error: unknown) => error);
  expect(isDatabaseUnavailable(wrong)).toBe(false);
  await mkdir(join(home, 'keep'), { recursive: true });
  const gone = await db.$client.query('select pg_terminate_backend(pg_backend_pid())').catch((error: unknown) => error);
  expect(isDatabaseUnavailable(gone)).toBe(true);
  expect((await db.$client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await close();
});
