import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';

export const NameStyle = z
  .enum(['safe', 'colons', 'none'])
  .describe('how tools and prompts are shown: server__name, server::name, or under the name the server gives them');
export type NameStyle = z.output<typeof NameStyle>;

const Names = z.array(z.string().min(1)).max(10_000).default([]);

/** How an endpoint shows one tool of a server. */
export const ToolChange = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'letters, digits, "." "_" "-", at most 64')
    .optional()
    .describe("in place of the server's own name"),
  title: z.string().min(1).max(200).optional(),
  description: z.string().max(10_000).optional(),
  arguments: z
    .record(z.string().min(1), z.unknown())
    .optional()
    .describe('values that Peta gives; clients neither see these arguments nor may send them'),
});
export type ToolChange = z.output<typeof ToolChange>;

/** What an endpoint shows of one server, by the server's own names and URIs. */
export const Selected = z.strictObject({
  serverId: Id,
  include: z
    .strictObject({ tools: Names, resources: Names.describe('URIs and URI templates'), prompts: Names })
    .optional()
    .describe('only these; without it, the whole server'),
  changes: z.record(z.string(), ToolChange).optional().describe("by the tool's own name"),
});
export type Selected = z.output<typeof Selected>;

const Selection = z.array(Selected).min(1).max(500).describe('in the order in which they are listed');

const Options = z.object({
  description: z.string().max(2_000).optional(),
  enabled: z.boolean().optional(),
  anonymous: z.boolean().optional().describe('may be used without a token, and then shows what it selects to anybody'),
  nameStyle: NameStyle.optional(),
  selection: Selection.optional().describe('replaces what is there'),
});
export type EndpointChanges = z.output<typeof Options>;

export const Endpoint = z.object({
  name: Id,
  path: z.string().describe('where clients reach it'),
  description: z.string(),
  enabled: z.boolean(),
  anonymous: z.boolean(),
  nameStyle: NameStyle,
  selection: z.array(Selected),
  notes: z.array(z.string()).describe('what is not as it was chosen, such as a name that two tools have come to share'),
  createdAt: Time,
  updatedAt: Time,
});
export type Endpoint = z.output<typeof Endpoint>;

const One = z.object({ name: Id });
const Found = z.object({ endpoint: Endpoint });

/** Selections of servers at an address of their own, `/mcp/e/{name}`. */
export const endpoints = {
  list: operation({
    method: 'GET',
    path: '/endpoints',
    guard: 'administrator',
    summary: 'Endpoints, by name',
    input: z.object({}),
    output: z.object({ endpoints: z.array(Endpoint) }),
  }),
  get: operation({
    method: 'GET',
    path: '/endpoints/:name',
    guard: 'administrator',
    summary: 'One endpoint',
    input: One,
    output: Found,
  }),
  create: operation({
    method: 'POST',
    path: '/endpoints',
    guard: 'administrator',
    summary: 'Make an endpoint: a selection of servers at an address of its own',
    input: Options.extend({ name: Id, selection: Selection }),
    output: Found,
  }),
  update: operation({
    method: 'PATCH',
    path: '/endpoints/:name',
    guard: 'administrator',
    summary: 'Change an endpoint; open sessions follow within a second',
    input: Options.extend({ name: Id }),
    output: Found,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/endpoints/:name',
    guard: 'administrator',
    summary: 'Remove an endpoint; what is open there ends',
    input: One,
    output: Done,
  }),
};
