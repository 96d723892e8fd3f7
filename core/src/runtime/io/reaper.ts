import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/** Makes sure that server processes end with Peta, also when Peta is killed. */
export const createReaper = () => {
  let helper: ChildProcess | undefined;

  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'reaper-process.ts')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      cwd: '/',
    });
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
    child.unref();
    return child;
  };

  const tell = (line: string): void => {
    helper ??= start();
    helper.stdin?.write(`${line}\n`);
  };

  return {
    watch: (pid: number): void => tell(`+${pid}`),
    forget: (pid: number): void => tell(`-${pid}`),
    close: (): void => void helper?.stdin?.end(),
  };
};

export type Reaper = ReturnType<typeof createReaper>;
