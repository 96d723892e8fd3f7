import { hkdfSync, randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const LENGTH = 32;

/**
 * The key that seals everything, 32 bytes: derived from `secret` (JWT_SECRET) when that is set, else from a random file
 * `master.key` in `home` that only its owner can read, made on first use. Throws a sentence when the file is not a key.
 */
export const readMasterKey = async ({
  home,
  secret,
}: {
  home: string;
  secret: string | undefined;
}): Promise<Buffer> => {
  if (secret !== undefined) return Buffer.from(hkdfSync('sha256', secret, '', 'peta master key v1', LENGTH));
  const path = join(home, 'master.key');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return makeKey(path);
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === LENGTH) return key;
  throw new Error(`${path} is not a master key. Put the right file back: without it no stored secret can be opened.`);
};

const makeKey = async (path: string): Promise<Buffer> => {
  const key = randomBytes(LENGTH);
  const making = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(making, 'wx', 0o600);
  try {
    await file.write(`${key.toString('base64')}\n`);
    await file.sync();
    await file.close();
    await rename(making, path);
  } finally {
    await rm(making, { force: true });
  }
  return key;
};
