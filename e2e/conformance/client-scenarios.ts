import type { Client as Api } from '@peta/api';
import { until } from '../harness/peta.ts';
import { connect, type ScenarioClient, type Tool } from './client-connect.ts';

/** What the suite says of a scenario when it starts the driver. */
export type Task = { scenario: string; revision: string; serverUrl: string; context: unknown };

/** A Peta that runs, and how to speak to it as its owner. */
export type Gateway = { api: Api; mcpUrl: string; token: string };

/** One server of the suite as it is seen through Peta. */
type Seen = {
  client: ScenarioClient;
  tools: Tool[];
  /** The server's own names of every tool that Peta keeps, shown to a client or not. */
  kept(): Promise<string[]>;
  nameOf(own: string): string;
  context: unknown;
};

type Schema = { type?: unknown; properties?: Record<string, Schema>; required?: string[] };

const exampleOf = ({ type }: Schema): unknown => {
  switch (type) {
    case 'number':
    case 'integer':
      return 5;
    case 'boolean':
      return true;
    case 'array':
      return [];
    case 'object':
      return {};
    default:
      return 'example';
  }
};

/** Arguments that the tool's schema takes: an example of everything it requires. */
const examplesFor = ({ inputSchema }: Tool): Record<string, unknown> => {
  const { properties = {}, required = [] } = inputSchema as Schema;
  return Object.fromEntries(required.map((name) => [name, exampleOf(properties[name] ?? {})]));
};

const call = async ({ client }: Seen, name: string, args: Record<string, unknown>): Promise<void> => {
  const { isError, content } = await client.callTool({ name, arguments: args });
  if (isError === true) throw new Error(`The tool ${name} failed: ${JSON.stringify(content)}`);
};

const callEveryTool = async (seen: Seen): Promise<void> => {
  for (const tool of seen.tools) await call(seen, tool.name, examplesFor(tool));
};

/** What scenarios want beyond a list and a call of each tool. */
const SCENARIOS: Readonly<Record<string, (seen: Seen) => Promise<void>>> = {
  /** All at once: what one call is asked must not turn up in another. */
  async 'sep-2322-client-request-state'(seen) {
    await Promise.all(seen.tools.map((tool) => call(seen, tool.name, examplesFor(tool))));
  },
  async 'http-standard-headers'(seen) {
    await callEveryTool(seen);
    const { resources } = await seen.client.listResources();
    for (const { uri } of resources) await seen.client.readResource({ uri });
    const { prompts } = await seen.client.listPrompts();
    for (const { name } of prompts) await seen.client.getPrompt({ name });
  },
  /** The suite says which calls to make. */
  async 'http-custom-headers'(seen) {
    const { toolCalls } = seen.context as { toolCalls: { name: string; arguments: Record<string, unknown> }[] };
    for (const { name, arguments: args } of toolCalls) await call(seen, seen.nameOf(name), args);
  },
  /** The official client would leave the invalid tools out by itself, so what Peta keeps is called unseen. */
  async 'http-invalid-tool-headers'(seen) {
    for (const own of await seen.kept()) await call(seen, seen.nameOf(own), { region: 'example' });
  },
  /** Its server has a tool to look at, none to call. */
  async 'json-schema-ref-no-deref'() {},
  async 'json-schema-2020-12-preservation'(seen) {
    const shown = seen.tools.find(({ name }) => name === seen.nameOf('json_schema_2020_12_tool'));
    await call(seen, seen.nameOf('json_schema_echo'), { schema: shown?.inputSchema });
  },
};

/** Online, or in error. */
const MET = new Set<number>([0, 3]);

let counter = 0;

/**
 * Performs one scenario: registers the suite's server with Peta, uses it through Peta, and removes it. Rejects with the
 * reason when a step fails.
 */
export const perform = async (task: Task, { api, mcpUrl, token }: Gateway): Promise<void> => {
  counter += 1;
  const serverId = `suite${counter}`;
  await api.servers.create({ serverId, launchConfig: { type: 'http', url: task.serverUrl } });
  try {
    await until(`${serverId} is met`, async () => MET.has((await api.servers.get({ serverId })).server.status));
    const client = await connect(task.revision, mcpUrl, token);
    try {
      const { tools } = await client.listTools();
      const { server } = await api.servers.get({ serverId });
      if (server.status === 3) throw new Error(server.statusReason ?? 'The server is in error.');
      const nameOf = (own: string) => `${serverId}__${own}`;
      const seen: Seen = {
        client,
        tools: tools.filter(({ name }) => name.startsWith(nameOf(''))),
        kept: async () => Object.keys((await api.capabilities.ofServer({ serverId })).capabilities.tools),
        nameOf,
        context: task.context,
      };
      await (SCENARIOS[task.scenario] ?? callEveryTool)(seen);
    } finally {
      await client.close();
    }
  } finally {
    await api.servers.remove({ serverId });
  }
};
