import { join } from 'node:path';
import type { Client } from '@peta/api';
import type { McpClient } from './clients.ts';
import { ROOT, until } from './peta.ts';

type LaunchConfig = Parameters<Client['servers']['create']>[0]['launchConfig'];

/** How a server of `e2e/servers` is launched over stdio. */
export const fixture = (name: string, ...args: string[]) => ({
  type: 'stdio' as const,
  command: process.execPath,
  args: [join(ROOT, `e2e/servers/${name}.ts`), ...args],
});

/** Resolves once it is known what the server offers. */
export const listed = (api: Client, serverId: string) =>
  until(`${serverId} is listed`, async () => {
    const { capabilities } = await api.capabilities.ofServer({ serverId });
    return Object.keys(capabilities.tools).length > 0;
  });

/** Registers one of `e2e/servers`, over stdio where nothing else is said, and waits until it is known what it offers. */
export const registerFixture = async (
  api: Client,
  serverId: string,
  launchConfig: LaunchConfig = fixture('fast', '--stdio'),
): Promise<void> => {
  await api.servers.create({ serverId, launchConfig, anonymousRateLimit: 1000 });
  await listed(api, serverId);
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
