import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { type Log, sentenceOf } from '#lib/log';
import { sleep } from '#lib/sleep';
import { type Account, type Binaries, findAccount, findBinaries } from './postgres-binaries.ts';
import { collectStderr, ended, spawnPostgres } from './postgres-process.ts';

const USER = 'peta';
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

type Place = { home: string; folder: string; account: Account | undefined };
export type EmbeddedPostgres = { url: string; pid: number; stop(): Promise<void> };

const readPassword = async (home: string): Promise<string> => {
  const file = join(home, 'postgres.password');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    const password = randomBytes(24).toString('base64url');
    await writeFile(file, `${password}\n`, { mode: 0o600, flag: 'wx' });
    return password;
  }
};

const exists = async (file: string): Promise<boolean> =>
  readFile(file).then(
    () => true,
    () => false,
  );

const give = async (path: string, account: Account | undefined): Promise<void> => {
  if (account) await chown(path, account.uid, account.gid);
};

/** Makes the database folder in one step: a start that is killed half-way leaves nothing half-made. */
const initialise = async ({ home, folder, account }: Place, { initdb }: Binaries, password: string): Promise<void> => {
  if (await exists(join(folder, 'PG_VERSION'))) return;
  const making = await mkdirFor(join(home, `postgres.making-${randomBytes(4).toString('hex')}`), account);
  const passwordFile = join(making, '..', `${randomBytes(6).toString('hex')}.pw`);
  try {
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    await give(passwordFile, account);
    const args = [
      `--pgdata=${making}`,
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ];
    const child = await spawnPostgres(initdb, args, { account, folder: making, detached: false });
    const stderr = collectStderr(child);
    const code = await ended(child);
    if (code !== 0)
      throw new Error(
        `PostgreSQL could not be set up in ${folder}: ${code instanceof Error ? code.message : stderr()}`,
      );
    await rename(making, folder).catch(async (error: unknown) => {
      if (!(await exists(join(folder, 'PG_VERSION')))) throw error;
    });
  } finally {
    await rm(passwordFile, { force: true });
    await rm(making, { recursive: true, force: true });
  }
};

const mkdirFor = async (path: string, account: Account | undefined): Promise<string> => {
  await mkdir(path, { mode: 0o700 });
  await give(path, account);
  return path;
};

const freePort = (): Promise<number> =>
  new Promise((done, fail) => {
    const server = createServer().on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });

const urlFor = (port: number, password: string): string =>
  `postgresql://${USER}:${password}@127.0.0.1:${port}/postgres`;

const answers = async (url: string): Promise<boolean> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

const waitForEnd = async (pid: number, timeoutMs: number): Promise<boolean> => {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(25)) if (!isAlive(pid)) return true;
  return !isAlive(pid);
};

/** Asks the postmaster to end: open transactions are rolled back, everything committed is kept. */
const stopPostmaster = async (pid: number): Promise<void> => {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (!isAlive(pid)) return;
    process.kill(pid, signal);
    if (await waitForEnd(pid, STOP_TIMEOUT_MS)) return;
  }
};

/** The postmaster that a killed Peta left behind, if it runs in this very folder. */
const findLeftBehind = async (folder: string): Promise<{ pid: number; port: number } | undefined> => {
  const lines = await readFile(join(folder, 'postmaster.pid'), 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  );
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return undefined;
  return { pid, port };
};

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=64MB',
  'max_connections=60',
  'logging_collector=off',
  'log_min_messages=warning',
];

const launch = async (
  { folder, account }: Place,
  { postgres }: Binaries,
  password: string,
): Promise<EmbeddedPostgres> => {
  const port = await freePort();
  const args = ['-D', folder, '-p', String(port), ...SETTINGS.flatMap((setting) => ['-c', setting])];
  const child = await spawnPostgres(postgres, args, { account, folder, detached: true });
  const stderr = collectStderr(child);
  let exit: number | Error | undefined;
  void ended(child).then((code) => {
    exit = code;
  });
  const url = urlFor(port, password);
  for (const deadline = Date.now() + START_TIMEOUT_MS; ; await sleep(25)) {
    if (exit !== undefined)
      throw new Error(
        `PostgreSQL ended while starting in ${folder}: ${exit instanceof Error ? exit.message : stderr()}`,
      );
    if (await answers(url)) break;
    if (Date.now() > deadline) {
      child.kill('SIGQUIT');
      throw new Error(`PostgreSQL in ${folder} did not answer within ${START_TIMEOUT_MS / 1000} s: ${stderr()}`);
    }
  }
  child.unref();
  child.stderr?.destroy();
  const pid = child.pid ?? 0;
  return { url, pid, stop: () => stopPostmaster(pid) };
};

/**
 * A real PostgreSQL of Peta's own below `home`: loopback only, a free port, a random password kept in `home`. One
 * that a killed Peta left behind is taken over, or ended when it does not answer. As root it runs as another user.
 * Throws a sentence that says what is wrong and what to do.
 */
export const startEmbeddedPostgres = async ({ home, log }: { home: string; log: Log }): Promise<EmbeddedPostgres> => {
  const binaries = await findBinaries();
  const account = await findAccount();
  const place = { home: resolve(home), folder: join(resolve(home), 'postgres'), account };
  // The other user must be able to walk through the folder, not to list or read it.
  if (account) await chmod(place.home, 0o711);
  const password = await readPassword(place.home);

  const leftBehind = await findLeftBehind(place.folder);
  if (leftBehind) {
    const url = urlFor(leftBehind.port, password);
    if (await answers(url)) {
      log.info('Using the PostgreSQL that is already running here', { pid: leftBehind.pid });
      return { url, pid: leftBehind.pid, stop: () => stopPostmaster(leftBehind.pid) };
    }
    log.warn('A PostgreSQL that was left behind does not answer and is ended', { pid: leftBehind.pid });
    await stopPostmaster(leftBehind.pid);
  }
  await initialise(place, binaries, password);
  try {
    return await launch(place, binaries, password);
  } catch (error) {
    // Another Peta may have started it between our look and our start.
    const other = await findLeftBehind(place.folder);
    const url = other && urlFor(other.port, password);
    if (other && url && (await answers(url))) return { url, pid: other.pid, stop: () => stopPostmaster(other.pid) };
    log.error(sentenceOf(error));
    throw error;
  }
};
