/** A Peta in front of servers that make tasks, of both eras. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Client } from '@peta/api';
import { becomeOwner, cleanUp, ROOT, type RunningPeta, startPeta, until } from './peta.ts';

const FIXTURE = join(ROOT, 'e2e/servers/conformance.ts');
export const SERVERS = ['legacy', 'modern'] as const;
/** What a stranger finds of a task that is another's. */
export const UNKNOWN = /Unknown task/;

export type TaskWorld = {
  peta: RunningPeta;
  api: Client;
  /** The owner's. */
  token: string;
  /** Makes a person who may use everything of these servers, but for tools that are switched off; returns a token. */
  addUser(userId: string, off?: string[]): Promise<string>;
  setOff(userId: string, off: string[]): Promise<void>;
  end(): Promise<void>;
};

const ids = SERVERS.flatMap((era) => [`http-${era}`, `stdio-${era}`]);
const without = (off: string[]) => ({
  enabled: true,
  tools: Object.fromEntries(off.map((name) => [name, { enabled: false }])),
});
const permissions = (off: string[]) => Object.fromEntries(ids.map((id) => [id, without(off)]));

/** Registers `http-…` and `stdio-…` of each era. */
export const createTaskWorld = async (): Promise<TaskWorld> => {
  const children: ChildProcess[] = [];
  const startServer = async (era: string): Promise<string> => {
    const child = spawn(process.execPath, [FIXTURE, '--era', era], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [url] = await once(createInterface(child.stdout), 'line');
    return url;
  };
  const peta = await startPeta();
  const { api, token } = await becomeOwner(peta);
  const launch = { type: 'stdio' as const, command: process.execPath };
  for (const era of SERVERS) {
    const http = { type: 'http' as const, url: await startServer(era) };
    await api.servers.create({ serverId: `http-${era}`, launchConfig: http });
    const args = [FIXTURE, '--stdio', '--era', era];
    await api.servers.create({ serverId: `stdio-${era}`, launchConfig: { ...launch, args } });
  }
  for (const serverId of ids)
    await until(`${serverId} is listed`, async () => {
      const { capabilities } = await api.capabilities.ofServer({ serverId });
      return Object.keys(capabilities.tools).length > 0;
    });
  return {
    peta,
    api,
    token,
    async addUser(userId, off = []) {
      await api.users.create({ userId, name: userId, role: 3, permissions: permissions(off) });
      return (await api.tokens.issue({ userId, name: 'e2e' })).secret;
    },
    async setOff(userId, off) {
      await api.users.update({ userId, permissions: permissions(off) });
    },
    async end() {
      for (const child of children) child.kill();
      await cleanUp();
    },
  };
};
