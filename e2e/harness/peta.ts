import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@peta/api';

export const ROOT = resolve(import.meta.dirname, '../..');
const CLI = join(ROOT, 'cli/src/main.ts');

type Ready = { url: string; mcpUrl: string; setupLink: string | null; token?: string };

/** A Peta that runs: what a person sees of it, and the means to be rude to it. */
export type RunningPeta = Ready & {
  home: string;
  pid: number;
  /** Everything it wrote to standard error so far. */
  stderr(): string;
  /** Sends a signal and waits for the process to end; returns its exit code or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
};

export type StartOptions = { home?: string; args?: string[]; env?: Record<string, string> };

const environment = (home: string, env: Record<string, string>) => {
  const { DATABASE_URL: _url, PETA_URL: _peta, PETA_TOKEN: _token, ...own } = process.env;
  return { ...own, BACKEND_PORT: '0', LOG_LEVEL: 'warn', PETA_HOME: home, ...env };
};

export const newHome = (): string => mkdtempSync(join(tmpdir(), 'peta-e2e-'));

const running = new Set<ChildProcess>();
const homes = new Set<string>();

/** Starts `peta start --json` and waits for its line. Rejects with what it said when it does not come up. */
export const startPeta = async ({ home = newHome(), args = [], env = {} }: StartOptions = {}): Promise<RunningPeta> => {
  homes.add(home);
  const child = spawn(process.execPath, [CLI, 'start', '--json', ...args], {
    env: environment(home, env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = new Promise<number | NodeJS.Signals>((done) => {
    child.on('exit', (code, signal) => {
      running.delete(child);
      done(code ?? signal ?? 1);
    });
  });
  const line = new Promise<string>((done) => createInterface({ input: child.stdout }).once('line', done));
  const first = await Promise.race([line, exited]);
  if (typeof first !== 'string' || !first.startsWith('{'))
    throw new Error(`peta start ended with ${String(first)}:\n${stderr}`);
  const ready = JSON.parse(first) as Ready;
  return {
    ...ready,
    home,
    pid: child.pid ?? 0,
    stderr: () => stderr,
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
};

/** Ends what a test file started and removes its folders. */
export const cleanUp = async (): Promise<void> => {
  await Promise.all(
    [...running].map(
      (child) =>
        new Promise<void>((done) => {
          child.once('exit', () => done());
          child.kill('SIGTERM');
        }),
    ),
  );
  for (const home of homes) rmSync(home, { recursive: true, force: true });
  homes.clear();
};

type CliResult = { code: number; stdout: string; stderr: string };

/** Runs the `peta` command. */
export const peta = (home: string, args: string[], { env = {}, input = '' } = {}): Promise<CliResult> =>
  new Promise((done, fail) => {
    const child = spawn(process.execPath, [CLI, ...args], { env: environment(home, env), stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', fail);
    child.on('exit', (code) => done({ code: code ?? 1, stdout, stderr }));
    child.stdin.end(input);
  });

/** Uses the set-up link as the owner would, and returns the owner's API client and token. */
export const becomeOwner = async ({ url, setupLink }: Ready) => {
  const secret = setupLink?.split('#')[1];
  if (!secret) throw new Error('There is no set-up link: this Peta has an owner.');
  const { secret: token } = await createClient(url).setup.complete({ secret, name: 'Olivia Owner' });
  return { api: createClient(url, { token }), token };
};

/** Polls until `look` returns something other than undefined or false. */
export const until = async <T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  timeoutMs = 15_000,
): Promise<T> => {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs} ms.`);
    await new Promise((done) => setTimeout(done, 50));
  }
};
