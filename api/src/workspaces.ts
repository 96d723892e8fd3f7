import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';

export const Workspace = z.object({
  workspaceId: Id,
  name: z.string(),
  hasOwner: z.boolean().describe('false until somebody has used its set-up link'),
  createdAt: Time,
});
export type Workspace = z.output<typeof Workspace>;

const Name = z.string().min(1).max(200);
const One = z.object({ workspaceId: Id });
const Found = z.object({ workspace: Workspace });
const Link = z.object({ setupLink: z.string().describe('one-time, for its owner to begin with'), expiresAt: Time });

/**
 * Tenants of this installation, which see nothing of each other. They are the business of whoever runs it: the owner of
 * the first one, and the machine's key. For anybody else there is nothing here.
 */
export const workspaces = {
  list: operation({
    method: 'GET',
    path: '/workspaces',
    guard: 'owner',
    summary: 'The workspaces of this installation, by id',
    input: z.object({}),
    output: z.object({ workspaces: z.array(Workspace) }),
  }),
  create: operation({
    method: 'POST',
    path: '/workspaces',
    guard: 'owner',
    summary: 'Make a workspace, and a one-time link with which its own owner begins',
    input: z.object({ workspaceId: Id, name: Name.optional() }),
    output: Found.extend(Link.shape),
  }),
  update: operation({
    method: 'PATCH',
    path: '/workspaces/:workspaceId',
    guard: 'owner',
    summary: 'Rename a workspace',
    input: z.object({ workspaceId: Id, name: Name }),
    output: Found,
  }),
  link: operation({
    method: 'POST',
    path: '/workspaces/:workspaceId/setup-links',
    guard: 'owner',
    summary: "Make a new one-time set-up link for a workspace's owner; earlier ones end",
    input: One,
    output: Link,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/workspaces/:workspaceId',
    guard: 'owner',
    summary: 'Remove a workspace with everything in it: servers stop, sessions end, nothing is kept',
    input: One,
    output: Done,
  }),
};
