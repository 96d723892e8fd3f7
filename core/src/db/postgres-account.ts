import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Log } from '#lib/log';
import type { Account } from './postgres-binaries.ts';

const run = promisify(execFile);

const idOf = async (flag: '-u' | '-g', user: string): Promise<number | undefined> => {
  try {
    return Number.parseInt((await run('id', [flag, user])).stdout, 10);
  } catch {
    return undefined;
  }
};

const find = async (user: string): Promise<Account | undefined> => {
  const [uid, gid] = await Promise.all([idOf('-u', user), idOf('-g', user)]);
  return uid !== undefined && gid !== undefined ? { uid, gid } : undefined;
};

const create = async (log: Log): Promise<Account | undefined> => {
  const options = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
  const made = await run('useradd', [...options, '--shell', '/usr/sbin/nologin', 'postgres']).then(
    () => true,
    () => false,
  );
  if (made) log.info('Added the system user "postgres", because PostgreSQL may not run as root');
  return find('postgres');
};

/**
 * Who PostgreSQL runs as when Peta is root, which PostgreSQL refuses to be: the owner of `folder` where there is one,
 * else the system user `postgres`, which is added where it is missing, else `nobody`. Undefined when Peta is not root.
 */
export const findAccount = async (folder: string, log: Log): Promise<Account | undefined> => {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(folder).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const account = (await find('postgres')) ?? (await create(log)) ?? (await find('nobody'));
  if (account) return account;
  throw new Error(
    'Peta runs as root, PostgreSQL may not, and this machine has neither a user "postgres" nor "nobody". Run Peta as an ordinary user, or set DATABASE_URL.',
  );
};
