import { randomBytes } from 'node:crypto';
import { chmod, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, sentenceOf } from '#lib/log';
import { backoffMs, sleep } from '#lib/sleep';
import { readHomeFile, readOrMakeHomeFile } from './home-file.ts';
import { findAccount } from './postgres-account.ts';
import { type Binaries, findBinaries } from './postgres-binaries.ts';
import { isMade, makeFolder, type Place } from './postgres-folder.ts';
import { launch, probe, urlFor } from './postgres-launch.ts';
import { findPostmaster, isPostmaster, type Postmaster, stopPostmaster } from './postmaster.ts';
import { reachableBinaries } from './reachable.ts';

const LAUNCH_ATTEMPTS = 3;
const PAUSE_MS = 300;
/** How long one that runs already may take to answer, as it may be starting or ending; and then how long to end. */
const PATIENCE_MS = 10_000;
const WATCH_MS = 1_000;

export type EmbeddedPostgres = {
  url: string;
  pid: number;
  /** From now on starts it again, at the same address, should it end by itself. Only for whoever holds the home. */
  watch(): void;
  /** Ends the watch, and PostgreSQL: what is committed is kept. */
  stop(): Promise<void>;
  /** Ends the watch and lets PostgreSQL run, for another Peta that has it now. */
  leave(): void;
};

type Options = { home: string; log: Log; patienceMs?: number };
type Ready = Place & { binaries: Binaries; password: string; patienceMs: number; log: Log };

const readPassword = async ({ home, folder }: Place): Promise<string> => {
  const file = join(home, 'postgres.password');
  if (await isMade(folder)) {
    const password = await readHomeFile(file);
    if (password) return password;
    throw new Error(
      `The password of the database in ${folder} is missing: put ${file} back from a backup. To start with an empty database instead, move ${folder} away.`,
    );
  }
  return readOrMakeHomeFile(file, () => randomBytes(24).toString('base64url'));
};

const prepare = async ({ home, log, patienceMs = PATIENCE_MS }: Options): Promise<Ready> => {
  const real = await realpath(home);
  const folder = join(real, 'postgres');
  const account = await findAccount(folder, log);
  const binaries = await reachableBinaries(await findBinaries(), account);
  const place = { home: real, folder, account };
  // The other user must be able to walk through the folder, not to list or read it.
  if (account) await chmod(real, ((await stat(real)).mode & 0o777) | 0o011);
  const password = await readPassword(place);
  return { ...place, binaries, password, patienceMs, log };
};

const refused = ({ home, folder }: Place): Error =>
  new Error(
    `The PostgreSQL in ${folder} does not accept the password in ${join(home, 'postgres.password')}: put the right file back from a backup. To start with an empty database instead, move ${folder} away.`,
  );

/** The postmaster that runs here already, if it is of use; one that does not answer is ended. */
const adopt = async (ready: Ready): Promise<Postmaster | undefined> => {
  const { folder, password, patienceMs, log } = ready;
  let running: Postmaster | undefined;
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(100)) {
    running = await findPostmaster(folder);
    if (!running) return undefined;
    const state = await probe(urlFor(running.port, password));
    if (state === 'refuses') throw refused(ready);
    if (state === 'answers') {
      log.info('Using the PostgreSQL that is already running here', { pid: running.pid });
      return running;
    }
  }
  if (!running) return undefined;
  log.warn('A PostgreSQL that was left behind does not answer and is ended', { pid: running.pid });
  await stopPostmaster(running.pid, folder, patienceMs);
  return undefined;
};

const adoptOrLaunch = async (ready: Ready): Promise<Postmaster> => {
  for (let attempt = 1; ; attempt += 1) {
    const running = await adopt(ready);
    if (running) return running;
    if (!(await isMade(ready.folder))) await makeFolder(ready, ready.binaries, ready.password);
    try {
      return await launch(ready, ready.binaries, ready.password, () => refused(ready));
    } catch (error) {
      // Another Peta may start it at this moment, or what a killed one left may still be ending.
      if (attempt >= LAUNCH_ATTEMPTS || !(error instanceof Error && 'isEarlyEnd' in error)) throw error;
      await sleep(PAUSE_MS);
    }
  }
};

/**
 * A real PostgreSQL of Peta's own in `home`/postgres: loopback only, a free port that is kept where possible, a random
 * password in `home`/postgres.password. It outlives a killed Peta, whose successor takes it over, or ends it when it
 * does not answer. As root it runs as another user, who may walk through `home` but not read it; where that user cannot
 * even walk down to `home`, it is lent the capability to, and where it cannot run the programs that npm installed, they
 * are copied below /var/lib/peta. Its own log is `home`/postgres.log. `home` must exist.
 * Throws a sentence that says what is wrong and what to do.
 */
export const startEmbeddedPostgres = async (options: Options): Promise<EmbeddedPostgres> => {
  const ready = await prepare(options);
  const { folder, password, log } = ready;
  const ending = new AbortController();
  const { port, pid: firstPid } = await adoptOrLaunch(ready);
  let pid = firstPid;
  let restarting: Promise<void> | undefined;

  const restart = async (): Promise<void> => {
    log.error('PostgreSQL has ended by itself and is started again', { log: join(ready.home, 'postgres.log') });
    for (let attempt = 0; !ending.signal.aborted; attempt += 1) {
      try {
        const postmaster = await adoptOrLaunch(ready);
        pid = postmaster.pid;
        if (postmaster.port === port) return;
        log.error('The port of PostgreSQL was taken meanwhile; trying again', { port });
        await stopPostmaster(pid, folder);
      } catch (error) {
        log.error('PostgreSQL could not be started again', { reason: sentenceOf(error) });
      }
      await sleep(backoffMs(attempt, 500, 30_000), ending.signal);
    }
  };

  let watching: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    if (restarting || ending.signal.aborted || (await isPostmaster(pid, folder))) return;
    restarting ??= restart().finally(() => {
      restarting = undefined;
    });
  };
  const leave = () => {
    ending.abort();
    clearInterval(watching);
  };
  return {
    url: urlFor(port, password),
    get pid() {
      return pid;
    },
    watch() {
      watching ??= setInterval(() => void look(), WATCH_MS).unref();
    },
    async stop() {
      leave();
      await restarting;
      await stopPostmaster(pid, folder);
    },
    leave,
  };
};
