import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, ServerStatus, Switches, SwitchesChange, Time } from './shapes.ts';

const Protocol = z.enum(['auto', 'legacy', 'modern']).describe('which protocol era to speak; auto finds out');

/** How a server is reached. It holds secrets: it goes in, sealed by the vault, and never comes out again. */
export const LaunchConfig = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('stdio'),
    command: z.string().min(1).describe('executable, never run through a shell'),
    args: z.array(z.string()).default([]),
    env: z.record(z.string(), z.string()).default({}),
    cwd: z.string().optional(),
    mcpProtocol: Protocol.default('auto'),
  }),
  z.object({
    type: z.literal('http'),
    url: z.url({ protocol: /^https?$/ }),
    headers: z.record(z.string(), z.string()).default({}),
    mcpProtocol: Protocol.default('auto'),
  }),
  z.object({
    type: z.literal('sse'),
    url: z.url({ protocol: /^https?$/ }),
    headers: z.record(z.string(), z.string()).default({}),
    mcpProtocol: Protocol.default('auto'),
  }),
]);
export type LaunchConfig = z.output<typeof LaunchConfig>;

export const Server = z.object({
  serverId: Id,
  serverName: z.string(),
  category: z.int().describe('1 template, 2 custom remote, 3 REST API, 4 skills, 5 custom stdio'),
  authType: z.int(),
  environment: Id.nullable().describe('null: it belongs to all'),
  enabled: z.boolean(),
  status: ServerStatus,
  statusReason: z.string().nullable().describe('why it is in error, in words'),
  transport: z.enum(['stdio', 'http', 'sse']),
  capabilities: Switches.describe("the server's own layer: which tools, resources and prompts it exposes"),
  configTemplate: z.string(),
  allowUserInput: z.boolean(),
  lazyStartEnabled: z.boolean(),
  publicAccess: z.boolean().describe('visible to people whose permissions do not mention it'),
  anonymousAccess: z.boolean().describe('visible at /mcp/public without a token'),
  anonymousRateLimit: z.int().min(1).max(1000).describe('requests a minute and address'),
  toolTmplId: z.string().nullable(),
  createdAt: Time,
  updatedAt: Time,
});
export type Server = z.output<typeof Server>;

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const Options = z.object({
  serverName: z.string().min(1).max(200).optional(),
  environment: Id.nullable().optional().describe('the one it belongs to; null for all'),
  enabled: z.boolean().optional(),
  lazyStartEnabled: z.boolean().optional(),
  publicAccess: z.boolean().optional(),
  anonymousAccess: z.boolean().optional(),
  anonymousRateLimit: z.int().min(1).max(1000).optional(),
  configTemplate: z.string().refine(isJson, 'must be JSON').optional(),
});

export type ServerChanges = z.output<typeof Options>;

const One = z.object({ serverId: Id });

/** What a server offers, as last seen; the names are its own, without prefix. */
export const Offer = z.object({
  enabled: z.boolean(),
  tools: z.record(
    z.string(),
    z.object({ enabled: z.boolean(), description: z.string().optional(), dangerLevel: z.int().optional() }),
  ),
  resources: z.record(z.string(), z.object({ enabled: z.boolean(), description: z.string().optional() })),
  prompts: z.record(z.string(), z.object({ enabled: z.boolean(), description: z.string().optional() })),
});
export type Offer = z.output<typeof Offer>;

export const servers = {
  list: operation({
    method: 'GET',
    path: '/servers',
    guard: 'administrator',
    summary: 'Servers with their live status',
    action: 2011,
    input: z.object({ enabled: z.stringbool().optional() }),
    output: z.object({ servers: z.array(Server) }),
  }),
  count: operation({
    method: 'GET',
    path: '/servers/count',
    guard: 'administrator',
    summary: 'How many servers there are',
    action: 2015,
    input: z.object({}),
    output: z.object({ count: z.int() }),
  }),
  get: operation({
    method: 'GET',
    path: '/servers/:serverId',
    guard: 'administrator',
    summary: 'One server',
    input: One,
    output: z.object({ server: Server }),
  }),
  create: operation({
    method: 'POST',
    path: '/servers',
    guard: 'owner',
    summary: 'Register a server; it is started once to learn what it offers',
    action: 2010,
    input: Options.extend({
      serverId: Id,
      launchConfig: LaunchConfig,
      category: z.int().min(1).max(5).optional(),
      authType: z.int().min(1).max(18).default(1),
      allowUserInput: z.boolean().default(false),
      toolTmplId: z.string().optional(),
    }),
    output: z.object({ server: Server }),
  }),
  update: operation({
    method: 'PATCH',
    path: '/servers/:serverId',
    guard: 'owner',
    summary: 'Change a server; open sessions follow within a second',
    action: 2012,
    input: Options.extend({
      serverId: Id,
      launchConfig: LaunchConfig.optional(),
      capabilities: SwitchesChange.optional().describe('merged into what is there'),
    }),
    output: z.object({ server: Server }),
  }),
  remove: operation({
    method: 'DELETE',
    path: '/servers/:serverId',
    guard: 'administrator',
    summary: 'Stop and remove a server',
    action: 2013,
    input: One,
    output: Done,
  }),
  removeAll: operation({
    method: 'DELETE',
    path: '/servers',
    guard: 'administrator',
    summary: 'Stop and remove every server',
    action: 2014,
    input: z.object({}),
    output: z.object({ deletedCount: z.int() }),
  }),
  start: operation({
    method: 'POST',
    path: '/servers/:serverId/start',
    guard: 'owner',
    summary: 'Enable and start a server',
    action: 2001,
    input: One,
    output: z.object({ server: Server }),
  }),
  stop: operation({
    method: 'POST',
    path: '/servers/:serverId/stop',
    guard: 'administrator',
    summary: 'Stop and disable a server',
    action: 2002,
    input: One,
    output: z.object({ server: Server }),
  }),
  connectAll: operation({
    method: 'POST',
    path: '/servers/connect',
    guard: 'owner',
    summary: 'Connect to every enabled server now',
    action: 2005,
    input: z.object({}),
    output: z.object({
      successServers: z.array(z.string()),
      failedServers: z.array(z.object({ serverId: z.string(), reason: z.string() })),
    }),
  }),
  setCapabilities: operation({
    method: 'PUT',
    path: '/servers/:serverId/capabilities',
    guard: 'administrator',
    summary: "Replace the server's own layer: what it exposes to anybody",
    action: 2003,
    input: z.object({ serverId: Id, capabilities: Switches }),
    output: z.object({ server: Server }),
  }),
  setLaunchConfig: operation({
    method: 'PUT',
    path: '/servers/:serverId/launch-config',
    guard: 'owner',
    summary: 'Replace how a server is reached, and restart it',
    action: 2004,
    input: z.object({ serverId: Id, launchConfig: LaunchConfig }),
    output: z.object({ server: Server }),
  }),
  logs: operation({
    method: 'GET',
    path: '/servers/:serverId/logs',
    guard: 'administrator',
    summary: "The last lines of a server's standard error and of Peta's own notes on it, oldest first",
    input: z.object({ serverId: Id, limit: z.coerce.number().int().min(1).max(1000).default(200) }),
    output: z.object({
      lines: z.array(z.object({ at: Time, source: z.enum(['stderr', 'stdout', 'peta']), text: z.string() })),
    }),
  }),
};

/** What can be called: the queries of group 3000. */
export const capabilities = {
  available: operation({
    method: 'GET',
    path: '/capabilities',
    guard: 'administrator',
    summary: 'What running servers offer',
    action: 3002,
    input: z.object({}),
    output: z.object({ capabilities: z.record(z.string(), Offer) }),
  }),
  ofUser: operation({
    method: 'GET',
    path: '/users/:userId/capabilities',
    guard: 'administrator',
    summary: 'What a person may use, after the first two layers',
    action: 3003,
    input: z.object({ userId: Id }),
    output: z.object({ capabilities: z.record(z.string(), Offer) }),
  }),
  statuses: operation({
    method: 'GET',
    path: '/servers/status',
    guard: 'administrator',
    summary: 'The status of every server',
    action: 3004,
    input: z.object({}),
    output: z.object({ serversStatus: z.record(z.string(), ServerStatus) }),
  }),
  ofServer: operation({
    method: 'GET',
    path: '/servers/:serverId/capabilities',
    guard: 'administrator',
    summary: 'What a server offers, live or as last seen',
    action: 3005,
    input: One,
    output: z.object({ capabilities: Offer }),
  }),
};
