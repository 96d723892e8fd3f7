import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '#lib/sleep';

const run = promisify(execFile);
const STOP_TIMEOUT_MS = 10_000;

/** PostgreSQL's first process, which all others of a database folder end with. */
export type Postmaster = { pid: number; port: number };

const commandLine = async (pid: number): Promise<string> => {
  try {
    if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    return (await run('ps', ['-ww', '-o', 'args=', '-p', String(pid)])).stdout;
  } catch {
    return '';
  }
};

/** Is `pid` the postmaster of `folder`, rather than gone or a stranger that was given its number? */
export const isPostmaster = async (pid: number, folder: string): Promise<boolean> =>
  (await commandLine(pid)).includes(` -D ${folder} -p `);

const noteFile = (folder: string): string => join(folder, 'postmaster.pid');
const readNote = (folder: string): Promise<string> => readFile(noteFile(folder), 'utf8').catch(() => '');

/** What the latest postmaster of `folder` noted of itself; it may be gone. */
export const notedPostmaster = async (folder: string): Promise<Postmaster | undefined> => {
  const lines = (await readNote(folder)).split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  return pid > 1 && port > 0 ? { pid, port } : undefined;
};

/** The postmaster that runs in `folder`. The note of one that is gone is removed, as it could keep a new one out. */
export const findPostmaster = async (folder: string): Promise<Postmaster | undefined> => {
  const note = await readNote(folder);
  const noted = await notedPostmaster(folder);
  if (noted && (await isPostmaster(noted.pid, folder))) return noted;
  const isStale = note !== '' && !(await isPostmaster(Number.parseInt(note, 10), folder));
  if (isStale && (await readNote(folder)) === note) await rm(noteFile(folder), { force: true });
  return undefined;
};

/** The port on which PostgreSQL last ran in `folder`. */
export const lastPort = async (folder: string): Promise<number | undefined> => {
  const options = await readFile(join(folder, 'postmaster.opts'), 'utf8').catch(() => '');
  const port = Number(/"-p" "(\d+)"/.exec(options)?.[1]);
  return port > 0 ? port : undefined;
};

const waitForEnd = async (pid: number, folder: string, timeoutMs: number): Promise<boolean> => {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(25))
    if (!(await isPostmaster(pid, folder))) return true;
  return false;
};

/** Ends the postmaster of `folder`: what runs is rolled back, what is committed is kept. No stranger is signalled.
 * After `patienceMs` it is told so more sternly. */
export const stopPostmaster = async (pid: number, folder: string, patienceMs = STOP_TIMEOUT_MS): Promise<void> => {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!(await isPostmaster(pid, folder))) return;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return;
      throw error;
    }
    if (await waitForEnd(pid, folder, patienceMs)) return;
  }
};
