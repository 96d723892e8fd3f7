import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const named = (name: string) => ({ name, version: '1.0.0' });
const withToken = (token: string | undefined) =>
  token === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${token}` } } };

type Named = { name: string };
type CallParams = { name: string; arguments?: Record<string, unknown> };
type CallOptions = { onprogress?: (progress: { progress: number }) => void; signal?: AbortSignal };
type Kind = 'tools' | 'resources' | 'prompts';

/** What the tests ask of a client, in whichever era it speaks. */
export type McpClient = {
  listTools(): Promise<{ tools: (Named & { description?: string | undefined; inputSchema?: unknown })[] }>;
  callTool(params: CallParams, options?: CallOptions): Promise<{ isError?: boolean | undefined; content?: unknown }>;
  listPrompts(): Promise<{ prompts: Named[] }>;
  getPrompt(params: { name: string; arguments: Record<string, string> }): Promise<{ messages: unknown[] }>;
  listResources(): Promise<{ resources: (Named & { uri: string })[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>;
  readResource(params: { uri: string }): Promise<{ contents: { uri: string }[] }>;
  complete(params: {
    ref: { type: 'ref/prompt'; name: string };
    argument: { name: string; value: string };
  }): Promise<{ completion: { values: string[] } }>;
  /** Calls back whenever the server says that a list has changed. */
  onListChanged(listener: (kind: Kind) => void): Promise<void>;
  close(): Promise<void>;
};

/** Without a token as anybody, where an endpoint lets them in. */
export type Connect = (mcpUrl: string, token: string | undefined, name?: string) => Promise<McpClient>;

const KINDS: readonly Kind[] = ['tools', 'resources', 'prompts'];

/** The official SDK 1.x: sessions, protocol 2025-11-25. */
export const connectLegacy: Connect = async (mcpUrl, token, name = 'e2e-legacy') => {
  const listeners = new Set<(kind: Kind) => void>();
  const told = (kind: Kind) => ({
    autoRefresh: false as const,
    debounceMs: 0,
    onChanged: () => {
      for (const listener of listeners) listener(kind);
    },
  });
  const client = new LegacyClient(named(name), {
    listChanged: { tools: told('tools'), resources: told('resources'), prompts: told('prompts') },
  });
  const transport = new LegacyTransport(new URL(mcpUrl), withToken(token));
  await client.connect(transport);
  return {
    listTools: () => client.listTools(),
    callTool: async (params, options) =>
      (await client.callTool(params, undefined, options)) as { isError?: boolean; content: unknown },
    listPrompts: () => client.listPrompts(),
    getPrompt: (params) => client.getPrompt(params),
    listResources: () => client.listResources(),
    listResourceTemplates: () => client.listResourceTemplates(),
    readResource: (params) => client.readResource(params),
    complete: (params) => client.complete(params),
    onListChanged: async (listener) => void listeners.add(listener),
    close: async () => {
      await transport.terminateSession().catch(() => {});
      await client.close();
    },
  };
};

/** The official SDK 2.x pinned to 2026-07-28. */
export const connectModern: Connect = async (mcpUrl, token, name = 'e2e-modern') => {
  const client = new ModernClient(named(name), { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new ModernTransport(new URL(mcpUrl), withToken(token)));
  return {
    listTools: () => client.listTools(),
    callTool: (params, options) => client.callTool(params, options),
    listPrompts: () => client.listPrompts(),
    getPrompt: (params) => client.getPrompt(params),
    listResources: () => client.listResources(),
    listResourceTemplates: () => client.listResourceTemplates(),
    readResource: (params) => client.readResource(params),
    complete: (params) => client.complete(params),
    async onListChanged(listener) {
      for (const kind of KINDS)
        client.setNotificationHandler(`notifications/${kind}/list_changed`, () => listener(kind));
      await client.listen({ toolsListChanged: true, resourcesListChanged: true, promptsListChanged: true });
    },
    close: () => client.close(),
  };
};

/** Both eras, for tests that hold in each. */
export const eras: readonly [string, Connect][] = [
  ['2025-11-25', connectLegacy],
  ['2026-07-28', connectModern],
];

/** The text of a result's first content block. */
export const textOf = (result: unknown): string => {
  const { content } = result as { content?: { type: string; text?: string }[] };
  return content?.[0]?.text ?? '';
};
