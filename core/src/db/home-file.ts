import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** The trimmed text of `file`, or undefined when there is none. Throws a sentence when it may not be read. */
export const readHomeFile = async (file: string): Promise<string | undefined> => {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw unusable(file, cause);
  }
};

/**
 * The trimmed text of `file`, written first with what `make` returns when there is none. It appears whole, readable by
 * its owner alone, and is the same for everybody who asks at once. Throws a sentence when the folder is not ours.
 */
export const readOrMakeHomeFile = async (file: string, make: () => string): Promise<string> => {
  const found = await readHomeFile(file);
  if (found !== undefined) return found;
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, `${make()}\n`, { mode: 0o600 });
    await link(draft, file).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  } catch (cause) {
    throw unusable(file, cause);
  } finally {
    await rm(draft, { force: true });
  }
  return (await readHomeFile(file)) ?? '';
};

const unusable = (file: string, cause: unknown): Error =>
  new Error(
    codeOf(cause) === 'EACCES' || codeOf(cause) === 'EPERM'
      ? `Peta may not use ${file}, because the folder belongs to another user. Run Peta as the user that owns ${dirname(file)}, or set PETA_HOME to another folder.`
      : `Peta cannot use ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );
