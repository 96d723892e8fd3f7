import { open, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { sleep } from '#lib/sleep';
import type { Binaries } from './postgres-binaries.ts';
import { explain, type Place, USER } from './postgres-folder.ts';
import { ended, spawnPostgres } from './postgres-process.ts';
import { lastPort, notedPostmaster, type Postmaster, stopPostmaster } from './postmaster.ts';

const START_TIMEOUT_MS = 30_000;
const LOG_BYTES = 1024 * 1024;

/** Small, and safe: fsync stays on. Its log says what it does, not what it is asked. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=64MB',
  'max_connections=60',
  'io_method=sync',
  'wal_level=minimal',
  'max_wal_senders=0',
  'max_logical_replication_workers=0',
  'max_wal_size=256MB',
  'jit=off',
  'logging_collector=off',
  'log_min_messages=log',
  'log_checkpoints=off',
];

export const urlFor = (port: number, password: string): string =>
  `postgresql://${USER}:${password}@127.0.0.1:${port}/postgres`;

/** Does a server at `url` answer, refuse the password, or neither? */
export const probe = async (url: string): Promise<'answers' | 'refuses' | 'silent'> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return 'answers';
  } catch (error) {
    return error instanceof Error && 'code' in error && String(error.code).startsWith('28') ? 'refuses' : 'silent';
  } finally {
    await Promise.race([client.end().catch(() => {}), sleep(500)]);
  }
};

const tryPort = (wanted: number): Promise<number | undefined> =>
  new Promise((done) => {
    const server = createServer().on('error', () => done(undefined));
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : undefined));
    });
  });

/** The port it had before, if that is free: what connected to it finds it again. */
const choosePort = async (folder: string): Promise<number> =>
  (await tryPort((await lastPort(folder)) ?? 0)) ?? (await tryPort(0)) ?? 0;

/** PostgreSQL's own log, which also outlives this process; begun anew when it has grown. */
const openLog = async (home: string) => {
  const file = join(home, 'postgres.log');
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  const handle = await open(file, size > LOG_BYTES ? 'w' : 'a', 0o600);
  const from = (await handle.stat()).size;
  return {
    handle,
    said: async () => (await readFile(file)).subarray(from).toString('utf8').slice(-4000).trim(),
  };
};

/**
 * Starts PostgreSQL on a folder that has been made, and waits until it answers. Throws `refused()` when it does not take
 * the password, and an error with `isEarlyEnd` when it ends before it answers.
 */
export const launch = async (
  { home, folder, account }: Place,
  { postgres }: Binaries,
  password: string,
  refused: () => Error,
): Promise<Postmaster> => {
  const port = await choosePort(folder);
  const args = ['-D', folder, '-p', String(port), ...SETTINGS.flatMap((setting) => ['-c', setting])];
  const { handle, said } = await openLog(home);
  // A process group of its own: Ctrl-C in the terminal is for Peta alone, which ends PostgreSQL last.
  const child = await spawnPostgres(postgres, args, { account, folder, detached: true, stderr: handle.fd }).finally(
    () => handle.close(),
  );
  let exit: number | Error | undefined;
  void ended(child).then((code) => {
    exit = code;
  });
  const url = urlFor(port, password);
  for (const deadline = Date.now() + START_TIMEOUT_MS; ; await sleep(25)) {
    if (exit !== undefined) {
      const reason = exit instanceof Error ? exit.message : explain(await said());
      throw Object.assign(new Error(`PostgreSQL ended while starting in ${folder}: ${reason}`), { isEarlyEnd: true });
    }
    const isUp = (await notedPostmaster(folder))?.pid === child.pid;
    const state = isUp ? await probe(url) : 'silent';
    if (state === 'answers') break;
    if (state === 'silent' && Date.now() < deadline) continue;
    if (child.pid) await stopPostmaster(child.pid, folder);
    if (state === 'refuses') throw refused();
    throw new Error(
      `PostgreSQL in ${folder} did not answer within ${START_TIMEOUT_MS / 1000} s: ${explain(await said())}`,
    );
  }
  child.unref();
  return { pid: child.pid ?? 0, port };
};
