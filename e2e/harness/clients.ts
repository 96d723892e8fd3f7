import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const info = (name: string) => ({ name, version: '1.0.0' });
const withToken = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

/** The official SDK 1.x: sessions, protocol 2025-11-25. */
export const connectLegacy = async (mcpUrl: string, token: string, name = 'e2e-legacy'): Promise<LegacyClient> => {
  const client = new LegacyClient(info(name));
  await client.connect(new LegacyTransport(new URL(mcpUrl), withToken(token)));
  return client;
};

/** The official SDK 2.x pinned to 2026-07-28. */
export const connectModern = async (mcpUrl: string, token: string, name = 'e2e-modern'): Promise<ModernClient> => {
  const client = new ModernClient(info(name), { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new ModernTransport(new URL(mcpUrl), withToken(token)));
  return client;
};

/** Both eras, for tests that hold in each. */
export const eras = [
  ['2025-11-25', connectLegacy],
  ['2026-07-28', connectModern],
] as const;

/** The text of a result's first content block. */
export const textOf = (result: unknown): string => {
  const { content } = result as { content?: { type: string; text?: string }[] };
  return content?.[0]?.text ?? '';
};
