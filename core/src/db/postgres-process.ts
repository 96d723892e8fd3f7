import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Account } from './postgres-binaries.ts';

const ENVIRONMENT = ['PATH', 'TZ', 'SYSTEMROOT', 'TEMP', 'TMP'] as const;

const environment = () => ({
  LC_ALL: 'C',
  ...Object.fromEntries(ENVIRONMENT.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
});

/** May `account` walk down to `path`? */
const isReachable = async (path: string, { uid, gid }: Account): Promise<boolean> => {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid: owner, gid: group } = await stat(folder);
    const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
};

/**
 * Starts one of PostgreSQL's programs, as `account` when there is one. Where that account cannot walk down to the
 * folders (a home below /root, say), it is lent the one capability that searching folders needs.
 */
export const spawnPostgres = async (
  program: string,
  args: string[],
  { account, folder, detached }: { account: Account | undefined; folder: string; detached: boolean },
): Promise<ChildProcess> => {
  const shared = {
    env: environment(),
    detached,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'],
  };
  if (!account) return spawn(program, args, { ...shared, cwd: folder });
  const reachable = await Promise.all([program, folder].map((path) => isReachable(path, account)));
  if (reachable.every(Boolean)) return spawn(program, args, { ...shared, uid: account.uid, gid: account.gid });
  const capability = '+dac_read_search';
  const lend = [
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    '--clear-groups',
    `--inh-caps=${capability}`,
    `--ambient-caps=${capability}`,
  ];
  return spawn('setpriv', [...lend, '--', program, ...args], shared);
};

/** Collects what a program says on standard error, its last few thousand characters. */
export const collectStderr = (child: ChildProcess): (() => string) => {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4000);
  });
  return () => text.trim();
};

/** Resolves with the exit code, or with the error that kept it from starting. */
export const ended = (child: ChildProcess): Promise<number | Error> =>
  new Promise((done) => {
    child.once('error', done);
    child.once('exit', (code) => done(code ?? 1));
  });
