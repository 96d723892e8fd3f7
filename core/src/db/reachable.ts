import { createHash, randomBytes } from 'node:crypto';
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Account, Binaries } from './postgres-binaries.ts';

/** Where programs are put that another account must be able to run. Only root writes here. */
const SHARED = '/var/lib/peta';

/** May `account` walk down to `path`? */
export const isReachable = async (path: string, { uid, gid }: Account): Promise<boolean> => {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid: owner, gid: group } = await stat(folder);
    const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
};

/**
 * PostgreSQL's programs at a place where `account` can run them: where npm put them, or, when that lies below a folder
 * that only root can walk (a checkout in /root), a copy below /var/lib/peta. They check their own path by means that no
 * lent capability helps with.
 */
export const reachableBinaries = async (binaries: Binaries, account: Account | undefined): Promise<Binaries> => {
  if (!account || (await isReachable(binaries.postgres, account))) return binaries;
  const native = dirname(dirname(binaries.postgres));
  const { mtimeMs, size } = await stat(binaries.postgres);
  const name = createHash('sha256')
    .update(JSON.stringify([native, mtimeMs, size]))
    .digest('hex')
    .slice(0, 16);
  const copy = join(SHARED, `postgres-${name}`);
  const isThere = await stat(copy).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    const making = `${copy}.${randomBytes(4).toString('hex')}`;
    await mkdir(SHARED, { recursive: true, mode: 0o755 });
    await cp(native, making, { recursive: true, verbatimSymlinks: true });
    // Whoever was quicker has put the same there.
    await rename(making, copy).catch(() => rm(making, { recursive: true, force: true }));
  }
  const at = (program: string) => join(copy, 'bin', basename(program));
  return { initdb: at(binaries.initdb), postgres: at(binaries.postgres) };
};
