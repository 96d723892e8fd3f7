import { chmod, lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readMasterKey } from './master-key.ts';

let home: string;
let file: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'peta-key-'));
  file = join(home, 'master.key');
});
afterEach(() => rm(home, { recursive: true }));

const SECRET = 's'.repeat(32);
const read = (secret?: string) => readMasterKey({ home, secret });

test('the master key is made once, for its owner alone', async () => {
  const key = await read();
  expect(key).toHaveLength(32);
  expect(await read()).toEqual(key);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('the same secret makes the same key, and needs no key file', async () => {
  const key = await read(SECRET);
  expect(await read(SECRET)).toEqual(key);
  await expect(stat(file)).rejects.toThrow('ENOENT');
});

test('a file that is no key is refused and left as it is', async () => {
  await writeFile(file, 'not a key', { mode: 0o600 });
  await expect(read()).rejects.toThrow('is not a master key');
  expect(await readFile(file, 'utf8')).toBe('not a key');
});

test('a key file that cannot be read is never replaced', async () => {
  await symlink('master.key', file);
  await expect(read()).rejects.toThrow('cannot be read');
  expect((await lstat(file)).isSymbolicLink()).toBe(true);
});

test.skipIf(process.platform === 'win32')('a key file that others can read is refused', async () => {
  await read();
  await chmod(file, 0o644);
  await expect(read()).rejects.toThrow('chmod 600');
});

test('another key than the one in use before is refused, with what to do', async () => {
  await read(SECRET);
  await expect(read('x'.repeat(32))).rejects.toThrow('JWT_SECRET');
  await expect(read()).rejects.toThrow('JWT_SECRET');
  expect(await read(SECRET)).toHaveLength(32);
});

test('a lost key file is missed, not made anew', async () => {
  const key = await readFile(file, 'utf8').catch(() => undefined);
  expect(key).toBeUndefined();
  await read();
  await rm(file);
  await expect(read()).rejects.toThrow('is missing');
  await expect(stat(file)).rejects.toThrow('ENOENT');
  await rm(join(home, 'key-check'));
  expect(await read()).toHaveLength(32);
});
