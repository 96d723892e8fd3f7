/** The fixture server of `e2e/servers/conformance.ts`, of one era, behind an endpoint of its own without prefixes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Client } from '@peta/api';
import { ROOT, type RunningPeta, until } from './peta.ts';

const FIXTURE = join(ROOT, 'e2e/servers/conformance.ts');

export type Behind = {
  serverId: string;
  era: 'legacy' | 'modern';
  transport: 'stdio' | 'http';
  url: string;
  /** What reached the server so far, from the oldest on. */
  record(): Entry[];
};
/** A message of MCP, or an event that a tool of the fixture notes. */
type Entry = {
  pid: number;
  id?: unknown;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
  event?: string;
  marker?: string;
};

const ended: (() => void)[] = [];
/** Ends the servers that were begun over HTTP. */
export const endServers = (): void => {
  for (const end of ended.splice(0)) end();
};

/** Begins the fixture over HTTP, in one era, and returns its address. */
export const serveHttp = async (era: Behind['era'], ...args: string[]): Promise<string> => {
  const child = spawn(process.execPath, [FIXTURE, '--era', era, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  ended.push(() => void child.kill());
  const [url] = await once(createInterface({ input: child.stdout }), 'line');
  return String(url);
};

/** Begins and registers one, and waits until it is known what it offers. */
export const standBehind = async (
  peta: RunningPeta,
  api: Client,
  era: Behind['era'],
  transport: Behind['transport'],
): Promise<Behind> => {
  const serverId = `${era}-${transport}`;
  const file = join(peta.home, `${serverId}.jsonl`);
  const args = ['--record', file];
  const launchConfig =
    transport === 'stdio'
      ? { type: 'stdio' as const, command: process.execPath, args: [FIXTURE, '--era', era, ...args, '--stdio'] }
      : { type: 'http' as const, url: await serveHttp(era, ...args) };
  await api.servers.create({ serverId, launchConfig });
  const { endpoint } = await api.endpoints.create({ name: serverId, nameStyle: 'none', selection: [{ serverId }] });
  await until(`${serverId} is listed`, async () => {
    const { capabilities } = await api.capabilities.ofServer({ serverId });
    return Object.keys(capabilities.tools).length > 0;
  });
  const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);
  return {
    serverId,
    era,
    transport,
    url: `${peta.url}${endpoint.path}`,
    record: () => lines().map((line) => JSON.parse(line) as Entry),
  };
};

/** Of all processes that this server ever had, how many are there now? */
export const livingProcesses = (server: Behind): number => {
  const pids = new Set(server.record().map(({ pid }) => pid));
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  return [...pids].filter(isAlive).length;
};

/** Makes a person who may use these servers, unless there is one, and returns a token of theirs. */
export const newPerson = async (api: Client, userId: string, serverIds: readonly string[]): Promise<string> => {
  await api.users.create({ userId, name: userId }).catch(() => {});
  const permissions = Object.fromEntries(serverIds.map((serverId) => [serverId, { enabled: true }]));
  await api.users.update({ userId, permissions });
  return (await api.tokens.issue({ userId })).secret;
};
