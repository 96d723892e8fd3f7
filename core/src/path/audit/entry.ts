import { z } from 'zod';

/** One line of the journal. `began` and `ended` of a call share an id and become one record. */
export const Entry = z.object({
  id: z.uuid(),
  event: z.enum(['began', 'ended', 'whole']),
  workspaceId: z.string(),
  at: z.iso.datetime(),
  kind: z.enum(['call', 'admin', 'auth', 'system']),
  userId: z.string().nullish(),
  tokenId: z.string().nullish(),
  role: z.int().nullish(),
  client: z.string().nullish(),
  address: z.string().nullish(),
  sessionId: z.string().nullish(),
  requestId: z.string().nullish(),
  operation: z.string(),
  serverId: z.string().nullish(),
  name: z.string().nullish(),
  exposedName: z.string().nullish(),
  arguments: z.unknown().optional(),
  rule: z.string().nullish(),
  outcome: z.enum(['done', 'tool-error', 'failed', 'refused', 'cancelled', 'asked', 'task', 'interrupted']).nullish(),
  error: z.string().nullish(),
  durationMs: z.number().nullish(),
});
export type Entry = z.input<typeof Entry>;

/** Where entries are kept before anything leaves. `append` resolves once the entry outlives this process. */
export type Journal = { append(entry: Entry): Promise<void> };
