import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient } from '@peta/api';
import { z } from 'zod';
import { Failure } from './failure.ts';

/** A running Peta, and the key to it. */
export type Target = { url: string; mcpUrl: string; token: string | undefined };
export type TargetOptions = { url?: string | undefined; token?: string | undefined };

const MachineFile = z.object({ url: z.string(), mcpUrl: z.string(), token: z.string(), pid: z.int() });
type MachineFile = z.output<typeof MachineFile>;

/** What helps against "who are you?". */
export const TOKEN_ADVICE = 'Give a valid token with PETA_TOKEN, or run this where Peta runs.';

export const homeOf = (): string => process.env.PETA_HOME || './.peta';

/**
 * What the Peta of this folder says of itself; undefined when none runs here.
 * Throws a `Failure` when this user may not know.
 */
export const readMachineFile = async (home = homeOf()): Promise<MachineFile | undefined> => {
  const file = join(home, 'admin.json');
  try {
    return MachineFile.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES')
      throw new Failure(
        `You may not read ${file}: run this as the user that Peta runs as, or set PETA_URL and PETA_TOKEN.`,
      );
    return undefined;
  }
};

/** `http://host`, `http://host/` and `http://host/mcp` name the same Peta; a longer path names one MCP endpoint of it. */
const parseAddress = (given: string): { url: string; mcpUrl: string } => {
  const address = URL.canParse(given) ? new URL(given) : undefined;
  if (!address || !/^https?:$/.test(address.protocol))
    throw new Failure(`"${given}" is no address of a Peta: write it as http://127.0.0.1:3002.`);
  const path = address.pathname.replace(/\/+$/, '');
  const [base = ''] = path.split(/\/mcp(?=\/|$)/);
  const url = `${address.origin}${base}`;
  return { url, mcpUrl: path === base ? `${url}/mcp` : `${address.origin}${path}` };
};

/** Finds Peta: by option, by PETA_URL and PETA_TOKEN, or the one that runs on this folder. */
export const findTarget = async ({ url, token }: TargetOptions): Promise<Target> => {
  const given = url || process.env.PETA_URL;
  const key = token || process.env.PETA_TOKEN || undefined;
  if (given) {
    const address = parseAddress(given);
    if (key) return { ...address, token: key };
    const machine = await readMachineFile().catch(() => undefined);
    return { ...address, token: machine?.url === address.url ? machine.token : undefined };
  }
  const machine = await readMachineFile();
  if (machine) return { url: machine.url, mcpUrl: machine.mcpUrl, token: key ?? machine.token };
  throw new Failure(
    `No Peta runs on ${homeOf()}. Start it with "npm start", set PETA_HOME to its folder, or name another with --url and --token.`,
  );
};

/** The API client of the Peta that the options name. */
export const clientFor = async (options: TargetOptions): Promise<Client> => {
  const { url, token } = await findTarget(options);
  return createClient(url, { ...(token !== undefined && { token }), fetcher: reachable(url) });
};

/** `fetch`, with a sentence for when nothing answers at the address. */
export const reachable =
  (url: string): typeof fetch =>
  async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (cause) {
      throw new Failure(`Peta does not answer at ${url}. Is it running? "peta doctor" finds out more.`, { cause });
    }
  };
