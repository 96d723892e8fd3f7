import { hkdfSync, randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createSealer, SealBroken } from '../seal.ts';

const LENGTH = 32;
const OTHERS = 0o077;
/** Where the value belongs that shows whether a key is the one used before. */
const CHECK = { workspaceId: '', table: 'home', row: 'key-check', column: '' };

type Options = { home: string; secret: string | undefined };

/**
 * The key that seals everything, 32 bytes: derived from `secret` (JWT_SECRET) when that is set, else from a random file
 * `master.key` in `home` that only its owner can read, made on first use. `key-check` beside it remembers which key it
 * was. Throws a sentence when the key is missing, unreadable, open to others, or another than before.
 */
export const readMasterKey = async ({ home, secret }: Options): Promise<Buffer> => {
  const check = join(home, 'key-check');
  const before = await readIfThere(check);
  const key =
    secret === undefined
      ? await readKeyFile(join(home, 'master.key'), before !== undefined)
      : Buffer.from(hkdfSync('sha256', secret, '', 'peta master key v1', LENGTH));
  if (before === undefined) await writeWhole(check, createSealer(key).seal('peta', CHECK));
  else if (!doesOpen(key, before.trim()))
    throw new Error(
      `The master key is not the one that sealed the secrets of this Peta. Set JWT_SECRET as it was before (unset, if it was), and put the former ${join(home, 'master.key')} back if it was replaced. To give up every sealed secret instead, delete ${check}.`,
    );
  return key;
};

const doesOpen = (key: Buffer, sealed: string): boolean => {
  try {
    return createSealer(key).open(sealed, CHECK) === 'peta';
  } catch (error) {
    if (error instanceof SealBroken) return false;
    throw error;
  }
};

const readKeyFile = async (path: string, isExpected: boolean): Promise<Buffer> => {
  const text = await readIfThere(path);
  if (text === undefined) {
    if (isExpected)
      throw new Error(
        `The master key ${path} is missing, and JWT_SECRET is not set. Put back the one that was used before: without it no stored secret can be opened. To give up every sealed secret instead, delete key-check beside it.`,
      );
    return makeKey(path);
  }
  if (process.platform !== 'win32' && ((await stat(path)).mode & OTHERS) !== 0)
    throw new Error(`Others than its owner may use the master key ${path}. Run: chmod 600 ${path}`);
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === LENGTH) return key;
  throw new Error(`${path} is not a master key. Put the right file back: without it no stored secret can be opened.`);
};

/** Only a file that is not there counts as absent: one that cannot be read must never be replaced. */
const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    if (code === 'ENOENT') return undefined;
    throw new Error(`${path} cannot be read (${code}). Make it readable for the user that runs Peta.`, { cause });
  }
};

const makeKey = async (path: string): Promise<Buffer> => {
  const key = randomBytes(LENGTH);
  await writeWhole(path, key.toString('base64'));
  return key;
};

/** The file is there whole or not at all, for its owner alone. */
const writeWhole = async (path: string, text: string): Promise<void> => {
  const making = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    const file = await open(making, 'wx', 0o600);
    try {
      await file.write(`${text}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(making, path);
  } finally {
    await rm(making, { force: true });
  }
};
