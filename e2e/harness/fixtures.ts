import { join } from 'node:path';
import type { Client } from '@peta/api';
import type { McpClient } from './clients.ts';
import { ROOT, until } from './peta.ts';

/** Registers one of `e2e/servers` over stdio and waits until it is known what it offers. */
export const registerFixture = async (api: Client, serverId: string, name = 'fast'): Promise<void> => {
  const args = [join(ROOT, `e2e/servers/${name}.ts`), '--stdio'];
  await api.servers.create({
    serverId,
    launchConfig: { type: 'stdio', command: process.execPath, args },
    anonymousRateLimit: 1000,
  });
  await until(`${serverId} is listed`, async () => {
    const { capabilities } = await api.capabilities.ofServer({ serverId });
    return Object.keys(capabilities.tools).length > 0;
  });
};

/** What a client is shown of tools. */
export const toolNames = async (client: McpClient): Promise<string[]> =>
  (await client.listTools()).tools.map(({ name }) => name);

/** Why it was refused, in words. */
export const refusalOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'was not refused',
    (error: Error) => error.message,
  );
