import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient } from '@peta/api';
import { z } from 'zod';
import { Failure } from './failure.ts';

/** A running Peta, and the key to it. */
export type Target = { url: string; mcpUrl: string; token: string | undefined };
export type TargetOptions = { url?: string | undefined; token?: string | undefined };

const MachineFile = z.object({ url: z.string(), mcpUrl: z.string(), token: z.string(), pid: z.int() });

export const homeOf = (): string => process.env.PETA_HOME || './.peta';

/** What the Peta of this folder says of itself; undefined when none runs here. */
export const readMachineFile = async (): Promise<z.output<typeof MachineFile> | undefined> => {
  try {
    return MachineFile.parse(JSON.parse(await readFile(join(homeOf(), 'admin.json'), 'utf8')));
  } catch {
    return undefined;
  }
};

/** Finds Peta: by option, by PETA_URL and PETA_TOKEN, or the one that runs on this folder. */
export const findTarget = async ({ url, token }: TargetOptions): Promise<Target> => {
  const given = url ?? process.env.PETA_URL;
  if (given) {
    const base = given.replace(/\/(mcp)?\/?$/, '');
    return { url: base, mcpUrl: `${base}/mcp`, token: token ?? process.env.PETA_TOKEN };
  }
  const machine = await readMachineFile();
  if (machine) return { url: machine.url, mcpUrl: machine.mcpUrl, token: token ?? machine.token };
  throw new Failure(
    `No Peta runs on ${homeOf()}. Start it with "npm start", set PETA_HOME to its folder, or name another with --url and --token.`,
  );
};

/** The API client of the Peta that the options name. */
export const clientFor = async (options: TargetOptions): Promise<Client> => {
  const { url, token } = await findTarget(options);
  return createClient(url, { ...(token !== undefined && { token }), fetcher: reachable(url) });
};

/** Turns a refused connection into a sentence. */
const reachable =
  (url: string): typeof fetch =>
  async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (cause) {
      throw new Failure(`Peta does not answer at ${url}. Is it running? "peta doctor" finds out more.`, { cause });
    }
  };
