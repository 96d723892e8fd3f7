import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { LogRing } from '../log-ring.ts';
import type { Reaper } from './reaper.ts';

type Command = {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd?: string | undefined;
};

type Options = {
  ring: LogRing;
  reaper: Reaper;
  /** Further variables of Peta's own environment that the server may see. */
  inherit: readonly string[];
};

/** What a program needs to run at all. Nothing else of Peta's environment reaches a server. */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TERM',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  ...['SYSTEMROOT', 'APPDATA', 'LOCALAPPDATA', 'USERPROFILE', 'TEMP', 'TMP', 'PATHEXT', 'COMSPEC', 'PROGRAMFILES'],
];
const GRACE_MS = 2_000;
/** More of a line of standard error than the log keeps. */
const MAX_LINE_CHARS = 8_192;

export type ServerProcess = {
  stdin: Writable;
  stdout: Readable;
  pid: number | undefined;
  exited: Promise<string>;
  stop(): Promise<void>;
  noise(line: string): void;
};

const environment = (own: Readonly<Record<string, string>>, inherit: readonly string[]) => ({
  ...Object.fromEntries(
    [...INHERITED, ...inherit].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  ),
  ...own,
});

/** Node says which argument or variable it dislikes by quoting it, which may be a secret. */
const spawned = (wanted: Command, inherit: readonly string[]) => {
  try {
    return spawn(wanted.command, [...wanted.args], {
      cwd: wanted.cwd,
      env: environment(wanted.env, inherit),
      detached: process.platform !== 'win32',
      shell: false,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
  } catch {
    throw new Error(
      `The command ${JSON.stringify(wanted.command)} could not be started: it, an argument or an environment variable holds what the system does not accept, such as a null byte.`,
    );
  }
};

/** Hands over the lines of a stream; of a line that does not end only the beginning. */
const eachLine = (stream: Readable, onLine: (line: string) => void): void => {
  let line = '';
  const flush = () => {
    if (line !== '') onLine(line.replace(/\r$/, ''));
    line = '';
  };
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const [first = '', ...others] = chunk.split('\n');
    line = (line + first).slice(0, MAX_LINE_CHARS);
    for (const next of others) {
      flush();
      line = next.slice(0, MAX_LINE_CHARS);
    }
  });
  stream.once('end', flush);
};

const started = (child: ChildProcess, { command, cwd }: Command): Promise<void> =>
  new Promise((done, fail) => {
    child.once('spawn', done);
    child.on('error', (error: NodeJS.ErrnoException) => {
      const where = cwd === undefined ? '' : `, and whether the folder ${cwd} does`;
      const hint = error.code === 'ENOENT' ? ` Check that it exists and is on the PATH${where}.` : '';
      fail(new Error(`The command "${command}" could not be started (${error.code ?? error.message}).${hint}`));
    });
  });

/** Signals the whole group, grandchildren included; false when none of it is left. */
const signalGroup = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, name);
    return true;
  } catch {
    return false;
  }
};

const groupGone = async (pid: number, timeoutMs: number): Promise<boolean> => {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; ) {
    if (!signalGroup(pid, 0)) return true;
    await new Promise((done) => setTimeout(done, 20));
  }
  return !signalGroup(pid, 0);
};

/** Starts a server without a shell, in a process group of its own. Rejects with a sentence when it cannot start. */
export const startProcess = async (wanted: Command, { ring, reaper, inherit }: Options): Promise<ServerProcess> => {
  const child = spawned(wanted, inherit);
  await started(child, wanted);
  const { pid } = child;
  if (pid !== undefined) reaper.watch(pid);
  eachLine(child.stderr, (line) => ring.add('stderr', line));

  const exited = new Promise<string>((done) => {
    child.once('exit', (code, signal) =>
      done(signal ? `The server was ended by ${signal}.` : `The server ended with code ${code}.`),
    );
  });
  let stopping: Promise<void> | undefined;

  /** Whatever the server started must end with it, also when it ended by itself. */
  const endGroup = async (): Promise<void> => {
    if (pid === undefined) return;
    for (const name of ['SIGTERM', 'SIGKILL'] as const) {
      if (!signalGroup(pid, name)) break;
      if (await groupGone(pid, GRACE_MS)) break;
    }
    reaper.forget(pid);
  };
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await Promise.race([exited, new Promise((done) => setTimeout(done, GRACE_MS).unref())]);
    await endGroup();
    await exited;
  };
  void exited.then(() => {
    stopping ??= endGroup();
  });

  return {
    stdin: child.stdin,
    stdout: child.stdout,
    pid,
    exited,
    noise: (line) => ring.add('stdout', line),
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
};
