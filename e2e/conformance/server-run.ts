import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Client } from '@peta/api';
import { becomeOwner, ROOT, startPeta, until } from '../harness/peta.ts';
import { type Results, runSuite } from './suite.ts';
import { openTokenDoor } from './token-door.ts';

/**
 * The server behind: over HTTP in one era alone, at an endpoint for anybody; or over stdio in both, at one that needs a
 * token.
 */
export type Behind = 'legacy' | 'modern' | 'stdio';
export type Front = { url: string; api: Client; token: string };

const FIXTURE = join(ROOT, 'e2e/servers/conformance.ts');
/**
 * Scenarios leave calls that ask without an answer. A server of the older era holds each on a connection of its own, and
 * the scenarios that follow are not to wait for them.
 */
const MAX_INSTANCES = '64';

/** Starts the Peta that stands in front of the fixtures. */
export const startFront = async (): Promise<Front> => {
  const peta = await startPeta({ env: { PETA_MAX_INSTANCES: MAX_INSTANCES } });
  return { url: peta.url, ...(await becomeOwner(peta)) };
};

const startHttpFixture = async (era: 'legacy' | 'modern'): Promise<{ child: ChildProcess; url: string }> => {
  const child = spawn(process.execPath, [FIXTURE, '--era', era], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((done, fail) => {
    lines.once('line', done);
    child.once('exit', (code) => fail(new Error(`The fixture ended with ${code}.`)));
  });
  return { child, url };
};

/** Registers a fixture with an endpoint of its own, without prefixes, for as long as `run` takes. */
const withFixture = async <T>(
  { api, url, token }: Front,
  leg: string,
  behind: Behind,
  run: (mcpUrl: string) => Promise<T>,
): Promise<T> => {
  const http = behind === 'stdio' ? undefined : await startHttpFixture(behind);
  const launchConfig = http
    ? { type: 'http' as const, url: http.url }
    : { type: 'stdio' as const, command: process.execPath, args: [FIXTURE, '--stdio'] };
  const selection = [{ serverId: leg }];
  const path = `${url}/mcp/e/${leg}`;
  const door = http ? undefined : await openTokenDoor(path, token);
  try {
    await api.servers.create({ serverId: leg, launchConfig, anonymousRateLimit: 1000 });
    await api.endpoints.create({ name: leg, anonymous: !door, nameStyle: 'none', selection });
    await until(`${leg} is listed`, async () => {
      const { capabilities } = await api.capabilities.ofServer({ serverId: leg });
      return Object.keys(capabilities.tools).length > 0;
    });
    return await run(door?.url ?? path);
  } finally {
    await api.endpoints.remove({ name: leg }).catch(() => {});
    await api.servers.remove({ serverId: leg }).catch(() => {});
    door?.close();
    http?.child.kill();
  }
};

/** One leg: Peta as a server in a revision, in front of a server that speaks this or the other era. */
export const runServerLeg = (
  front: Front,
  leg: string,
  revision: string,
  behind: Behind,
  folder: string,
): Promise<Results> =>
  withFixture(front, leg, behind, (mcpUrl) =>
    runSuite(['server', '--url', mcpUrl, '--requirements', revision], folder),
  );
