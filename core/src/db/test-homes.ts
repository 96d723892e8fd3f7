import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findPostmaster, stopPostmaster } from './postmaster.ts';

/** Opens the database of the home in its first argument and says where it is, or why not. */
const OPENER = `
  import { openDatabase } from ${JSON.stringify(join(import.meta.dirname, 'open.ts'))};
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  try {
    const { url } = await openDatabase({ databaseUrl: undefined, home: process.argv[1], log, onLost() {} });
    console.log(url);
    setInterval(() => {}, 1000);
  } catch (error) { console.log(error.message); process.exit(1); }`;

/** Temporary homes for tests, and real processes that use them. `clean` ends and removes all of it. */
export const createTestHomes = () => {
  const homes: string[] = [];
  const children: ChildProcess[] = [];
  return {
    async make(below = tmpdir()): Promise<string> {
      const home = await mkdtemp(join(await realpath(below), 'peta-db-'));
      homes.push(home);
      return home;
    },
    /** A Peta's worth of database in a process of its own; `said` is its first line: the address or why not. */
    async spawnOpener(home: string, uid?: number) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', OPENER, home], {
        stdio: ['ignore', 'pipe', 'inherit'],
        ...(uid !== undefined && { uid, gid: uid }),
      });
      children.push(child);
      const exited = new Promise((done) => child.once('exit', done));
      const said = await new Promise<string>((done) => createInterface({ input: child.stdout }).once('line', done));
      const kill = async () => {
        child.kill('SIGKILL');
        await exited;
      };
      return { pid: child.pid, said, kill };
    },
    async clean(): Promise<void> {
      for (const child of children.splice(0)) child.kill('SIGKILL');
      for (const home of homes.splice(0)) {
        const left = await findPostmaster(join(home, 'postgres'));
        if (left) await stopPostmaster(left.pid, join(home, 'postgres'));
        await rm(home, { recursive: true, force: true });
      }
    },
  };
};
