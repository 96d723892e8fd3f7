import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Account } from './postgres-binaries.ts';
import { isReachable } from './reachable.ts';

const run = promisify(execFile);

const ENVIRONMENT = ['PATH', 'TZ', 'SYSTEMROOT', 'TEMP', 'TMP'] as const;

const environment = () => ({
  LC_ALL: 'C',
  ...Object.fromEntries(ENVIRONMENT.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
});

/** Capabilities that let a process walk through any folder, the lesser first: bit in CapEff, name. */
const WALKING = [
  { bit: 2n, name: 'dac_read_search' },
  { bit: 1n, name: 'dac_override' },
] as const;

/** What of it this process may lend. A container by default has only the second. */
const findCapability = async (): Promise<string | undefined> => {
  try {
    await run('setpriv', ['--version']);
    const held = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0';
    return WALKING.find(({ bit }) => (BigInt(`0x${held}`) >> bit) & 1n)?.name;
  } catch {
    return undefined;
  }
};

type Options = {
  account: Account | undefined;
  /** The database folder. */
  folder: string;
  detached: boolean;
  /** Where standard error goes: a pipe or an open file. */
  stderr: 'pipe' | number;
};

/**
 * Starts one of PostgreSQL's programs, as `account` when there is one. `program` must be where that account can
 * run it; where it cannot walk down to `folder` (a home below /root, say), it is lent the one capability that this needs. Throws a sentence where even
 * that is not possible.
 */
export const spawnPostgres = async (
  program: string,
  args: string[],
  { account, folder, detached, stderr }: Options,
): Promise<ChildProcess> => {
  const shared = { env: environment(), detached, stdio: ['ignore', 'ignore', stderr] as ['ignore', 'ignore', 'pipe'] };
  if (!account) return spawn(program, args, { ...shared, cwd: folder });
  if (await isReachable(folder, account))
    return spawn(program, args, { ...shared, cwd: '/', uid: account.uid, gid: account.gid });
  const capability = await findCapability();
  if (!capability)
    throw new Error(
      `PostgreSQL may not run as root, and the user it runs as cannot walk down to ${folder}. Set PETA_HOME to a folder that everybody may walk to, or run Peta as an ordinary user.`,
    );
  const lend = [
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    '--clear-groups',
    `--inh-caps=+${capability}`,
    `--ambient-caps=+${capability}`,
  ];
  return spawn('setpriv', [...lend, '--', program, ...args], { ...shared, cwd: '/' });
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
