import { z } from 'zod';
import { operation } from './operation.ts';
import { Time } from './shapes.ts';

/** One line of the log: a call through the gateway, an administrative change, or a refusal at the door. */
export const AuditRecord = z.object({
  id: z.string(),
  at: Time,
  kind: z.enum(['call', 'admin', 'auth', 'system']),
  userId: z.string().nullable(),
  tokenId: z.string().nullable(),
  role: z.int().nullable(),
  client: z.string().nullable().describe('name and version as the client gave them'),
  address: z.string().nullable(),
  sessionId: z.string().nullable(),
  requestId: z.string().nullable().describe("the client's own request id, as JSON"),
  operation: z.string().describe('MCP method, or the name of the administrative operation'),
  serverId: z.string().nullable(),
  name: z.string().nullable().describe("the capability's own name, without prefix"),
  exposedName: z.string().nullable(),
  arguments: z.unknown().describe('with likely secrets redacted'),
  rule: z.string().nullable().describe('what decided'),
  outcome: z
    .enum(['done', 'tool-error', 'failed', 'refused', 'cancelled', 'asked', 'task', 'interrupted'])
    .describe('interrupted: begun, and Peta ended before it did'),
  error: z.string().nullable(),
  durationMs: z.number().nullable(),
});
export type AuditRecord = z.output<typeof AuditRecord>;

export const audit = {
  list: operation({
    method: 'GET',
    path: '/audit',
    guard: 'administrator',
    summary: 'The log, newest first',
    input: z.object({
      kind: z.enum(['call', 'admin', 'auth', 'system']).optional(),
      userId: z.string().optional(),
      serverId: z.string().optional(),
      operation: z.string().optional(),
      outcome: z.string().optional(),
      from: Time.optional(),
      to: Time.optional(),
      cursor: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    output: z.object({ records: z.array(AuditRecord), nextCursor: z.string().nullable() }),
  }),
};
