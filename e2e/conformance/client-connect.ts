import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

type Named = { name: string };
export type Tool = Named & { inputSchema: unknown };

/** What a scenario asks of a client, in whichever era it speaks. */
export type ScenarioClient = {
  listTools(): Promise<{ tools: Tool[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<Record<string, unknown>>;
  listResources(): Promise<{ resources: { uri: string }[] }>;
  readResource(params: { uri: string }): Promise<unknown>;
  listPrompts(): Promise<{ prompts: Named[] }>;
  getPrompt(params: Named): Promise<unknown>;
  close(): Promise<void>;
};

const SOFTWARE = { name: 'peta-conformance', version: '1.0.0' };
const CAPABILITIES = { elicitation: { form: {} } };

type Field = { type?: unknown; default?: unknown };
type Value = string | number | boolean | string[];
type Elicited = { action: 'accept'; content: Record<string, Value> };

/** Says yes to every form: with the default of each field, and true where a yes or no has none. */
const accept = (params: object): Elicited => {
  const { requestedSchema } = params as { requestedSchema?: { properties?: Record<string, Field> } };
  const filled = Object.entries(requestedSchema?.properties ?? {}).map(
    ([name, field]) => [name, field.default ?? (field.type === 'boolean' ? true : undefined)] as const,
  );
  const given = filled.filter((entry): entry is [string, Value] => entry[1] !== undefined);
  return { action: 'accept', content: Object.fromEntries(given) };
};

const withToken = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

const connectLegacy = async (mcpUrl: string, token: string): Promise<ScenarioClient> => {
  const client = new LegacyClient(SOFTWARE, { capabilities: CAPABILITIES });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => accept(params));
  const transport = new LegacyTransport(new URL(mcpUrl), withToken(token));
  await client.connect(transport);
  return {
    listTools: () => client.listTools(),
    callTool: (call) => client.callTool(call),
    listResources: () => client.listResources(),
    readResource: (params) => client.readResource(params),
    listPrompts: () => client.listPrompts(),
    getPrompt: (params) => client.getPrompt(params),
    close: async () => {
      await transport.terminateSession().catch(() => {});
      await client.close();
    },
  };
};

const connectModern = async (mcpUrl: string, token: string): Promise<ScenarioClient> => {
  const client = new ModernClient(SOFTWARE, {
    capabilities: CAPABILITIES,
    versionNegotiation: { mode: { pin: '2026-07-28' } },
  });
  client.setRequestHandler('elicitation/create', ({ params }) => accept(params));
  await client.connect(new ModernTransport(new URL(mcpUrl), withToken(token)));
  return {
    listTools: () => client.listTools(),
    callTool: (call) => client.callTool(call),
    listResources: () => client.listResources(),
    readResource: (params) => client.readResource(params),
    listPrompts: () => client.listPrompts(),
    getPrompt: (params) => client.getPrompt(params),
    close: () => client.close(),
  };
};

/** Connects a client of the revision's era. */
export const connect = (revision: string, mcpUrl: string, token: string): Promise<ScenarioClient> =>
  (revision === '2026-07-28' ? connectModern : connectLegacy)(mcpUrl, token);
