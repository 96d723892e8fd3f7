import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/** Makes sure that server processes end with Peta, also when Peta is killed. */
export const createReaper = () => {
  const groups = new Set<number>();
  let helper: ChildProcess | undefined;
  let isClosed = false;

  /** In a session of its own, so that what ends Peta from the terminal leaves it alone. */
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'reaper-process.ts')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      cwd: '/',
    });
    const gone = () => {
      if (helper === child) helper = undefined;
    };
    child.on('error', gone);
    child.stdin?.on('error', gone);
    child.on('exit', () => {
      gone();
      if (!isClosed && groups.size > 0) tell();
    });
    child.unref();
    for (const pid of groups) child.stdin?.write(`+${pid}\n`);
    return child;
  };

  /** A helper that is started anew knows every group already. */
  const tell = (line?: string): void => {
    if (!helper) helper = start();
    else if (line) helper.stdin?.write(line);
  };

  return {
    watch(pid: number): void {
      groups.add(pid);
      tell(`+${pid}\n`);
    },
    forget(pid: number): void {
      groups.delete(pid);
      if (helper) tell(`-${pid}\n`);
    },
    /** Ends what is still watched, and the helper with it. */
    close(): void {
      isClosed = true;
      helper?.stdin?.end();
    },
  };
};

export type Reaper = ReturnType<typeof createReaper>;
