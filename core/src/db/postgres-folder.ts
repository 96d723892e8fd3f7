import { chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Account, BINARIES_PACKAGE, type Binaries } from './postgres-binaries.ts';
import { collectStderr, ended, spawnPostgres } from './postgres-process.ts';

export const USER = 'peta';

export type Place = { home: string; folder: string; account: Account | undefined };

/** Has PostgreSQL's folder been made? */
export const isMade = (folder: string): Promise<boolean> =>
  stat(join(folder, 'PG_VERSION')).then(
    () => true,
    () => false,
  );

const give = async (path: string, account: Account | undefined): Promise<void> => {
  if (account) await chown(path, account.uid, account.gid);
};

const isAlive = (pid: number): boolean => {
  try {
    return pid !== process.pid && process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

const DRAFT = 'postgres.making-';

/** Removes what starts that were killed half-way have left. */
const sweep = async (home: string): Promise<void> => {
  for (const name of await readdir(home)) {
    if (!name.startsWith(DRAFT)) continue;
    if (!isAlive(Number.parseInt(name.slice(DRAFT.length), 10)))
      await rm(join(home, name), { recursive: true, force: true });
  }
};

/** What PostgreSQL said, with what to do where that is known. */
export const explain = (said: string): string =>
  said.includes('shared libraries')
    ? `${said}\nThe install script of ${BINARIES_PACKAGE} has not run: run npm rebuild ${BINARIES_PACKAGE}.`
    : said;

/** Makes the database folder in one step: a start that is killed half-way leaves nothing half-made. */
export const makeFolder = async (place: Place, { initdb }: Binaries, password: string): Promise<void> => {
  const { home, folder, account } = place;
  await sweep(home);
  const draft = join(home, `${DRAFT}${process.pid}`);
  const passwordFile = `${draft}.password`;
  try {
    await mkdir(draft, { mode: 0o700 });
    await give(draft, account);
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    await give(passwordFile, account);
    const args = [
      `--pgdata=${draft}`,
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
    ];
    const child = await spawnPostgres(initdb, args, { account, folder: draft, detached: false, stderr: 'pipe' });
    const stderr = collectStderr(child);
    const code = await ended(child);
    if (code !== 0)
      throw new Error(
        `PostgreSQL could not be set up in ${folder}: ${code instanceof Error ? code.message : explain(stderr())}`,
      );
    await rename(draft, folder).catch(async (error: unknown) => {
      // Another Peta that started at the same moment was faster.
      if (!(await isMade(folder))) throw error;
    });
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
};
