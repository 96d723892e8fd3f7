import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Permissions, Time } from './shapes.ts';
import { User } from './users.ts';

const Options = z.object({
  name: z.string().min(1).max(200).optional(),
  notes: z.string().max(10_000).optional(),
  status: z
    .union([z.literal(0), z.literal(1), z.literal(3)])
    .optional()
    .describe('0 disabled, 1 enabled, 3 suspended; what an administrator suspended only an administrator enables'),
  permissions: Permissions.optional().describe('never more than those of the person whose agent it is'),
});
export type AgentChanges = z.output<typeof Options>;

const One = z.object({ userId: Id });
const Found = z.object({ agent: User });

/** Programs that act for a person or a team: they have tokens, and no sign-in. */
export const agents = {
  list: operation({
    method: 'GET',
    path: '/agents',
    guard: 'user',
    summary: 'Own agents; for administrators those of everybody',
    input: z.object({ ownerUserId: Id.optional(), ownerTeamId: Id.optional() }),
    output: z.object({ agents: z.array(User) }),
  }),
  create: operation({
    method: 'POST',
    path: '/agents',
    guard: 'user',
    summary: 'Make an agent of one’s own, or as an administrator one of a person or a team',
    input: Options.extend({
      userId: Id.describe('of the agent'),
      expiresAt: Time.nullable().optional(),
      ownerUserId: Id.optional(),
      ownerTeamId: Id.optional(),
    }),
    output: Found,
  }),
  update: operation({
    method: 'PATCH',
    path: '/agents/:userId',
    guard: 'user',
    summary: 'Change an agent; open sessions follow within a second',
    input: Options.extend({ userId: Id }),
    output: Found,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/agents/:userId',
    guard: 'user',
    summary: 'Remove an agent with its tokens; open sessions end',
    input: One,
    output: Done,
  }),
};
