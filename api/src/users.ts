import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Permissions, Role, Time, UserStatus } from './shapes.ts';

export const User = z.object({
  userId: Id,
  name: z.string(),
  notes: z.string(),
  kind: z.enum(['person', 'agent']),
  email: z.string().nullable(),
  role: Role,
  roleId: z.string().nullable().describe('of somebody whose role is 3: auditor, or a role of the workspace'),
  ownerUserId: z.string().nullable().describe('whose agent it is'),
  ownerTeamId: z.string().nullable().describe('the team whose agent it is'),
  status: UserStatus,
  permissions: Permissions,
  ratelimit: z.int().describe('requests a minute'),
  expiresAt: Time.nullable(),
  createdAt: Time,
  updatedAt: Time,
});
export type User = z.output<typeof User>;

const Email = z.string().trim().toLowerCase().max(254).pipe(z.email());

const Changes = z.object({
  name: z.string().min(1).max(200).optional(),
  notes: z.string().max(10_000).optional(),
  email: Email.nullable().optional().describe('what a person may sign in with besides their id'),
  roleId: Id.nullable().optional().describe('for users alone: auditor, or a role of the workspace'),
  status: UserStatus.optional(),
  permissions: Permissions.optional(),
  ratelimit: z.int().min(1).max(1_000_000).optional(),
  expiresAt: Time.nullable().optional(),
});

export type UserChanges = z.output<typeof Changes>;

const One = z.object({ userId: Id });

export const users = {
  list: operation({
    method: 'GET',
    path: '/users',
    guard: 'administrator',
    summary: 'People and agents, by id',
    action: 1011,
    input: z.object({
      role: z.coerce.number().pipe(Role).optional(),
      excludeRole: z.coerce.number().pipe(Role).optional(),
    }),
    output: z.object({ users: z.array(User) }),
  }),
  count: operation({
    method: 'GET',
    path: '/users/count',
    guard: 'administrator',
    summary: 'How many people and agents there are',
    action: 1015,
    input: z.object({ excludeRole: z.coerce.number().pipe(Role).optional() }),
    output: z.object({ count: z.int() }),
  }),
  get: operation({
    method: 'GET',
    path: '/users/:userId',
    guard: 'administrator',
    summary: 'One person or agent',
    input: One,
    output: z.object({ user: User }),
  }),
  create: operation({
    method: 'POST',
    path: '/users',
    guard: 'owner',
    summary: 'Add a person or agent',
    action: 1010,
    input: Changes.extend({
      userId: Id,
      name: z.string().min(1).max(200),
      role: z.union([z.literal(2), z.literal(3)]).default(3),
    }),
    output: z.object({ user: User }),
  }),
  update: operation({
    method: 'PATCH',
    path: '/users/:userId',
    guard: 'administrator',
    summary: 'Change a person or agent; open sessions follow within a second',
    action: 1012,
    input: Changes.extend({ userId: Id }),
    output: z.object({ user: User }),
  }),
  remove: operation({
    method: 'DELETE',
    path: '/users/:userId',
    guard: 'administrator',
    summary: 'Remove a person or agent with all tokens; open sessions end',
    action: 1013,
    input: One,
    output: Done,
  }),
  removeAll: operation({
    method: 'DELETE',
    path: '/users',
    guard: 'administrator',
    summary: 'Remove everyone whom the asker outranks; never the owner',
    action: 1014,
    input: z.object({}),
    output: z.object({ deletedCount: z.int() }),
  }),
  disable: operation({
    method: 'POST',
    path: '/users/:userId/disable',
    guard: 'administrator',
    summary: 'Disable a person or agent; open sessions end',
    action: 1001,
    input: One,
    output: z.object({ user: User }),
  }),
  invite: operation({
    method: 'POST',
    path: '/users/:userId/invite',
    guard: 'administrator',
    summary: 'Make a one-time link with which a person chooses a password or passkey; earlier ones of theirs end',
    input: One,
    output: z.object({ link: z.string(), expiresAt: Time }),
  }),
  signOut: operation({
    method: 'POST',
    path: '/users/:userId/sign-out',
    guard: 'administrator',
    summary: 'Sign a person out of every browser; service tokens go on',
    input: One,
    output: Done,
  }),
  setPermissions: operation({
    method: 'PUT',
    path: '/users/:userId/permissions',
    guard: 'administrator',
    summary: "Replace the administrator's layer of a person's permissions",
    action: 1002,
    input: z.object({ userId: Id, permissions: Permissions }),
    output: z.object({ user: User }),
  }),
  owner: operation({
    method: 'GET',
    path: '/owner',
    guard: 'administrator',
    summary: 'The owner',
    action: 1016,
    input: z.object({}),
    output: z.object({ owner: User.nullable() }),
  }),
};

/** What a person asks about themself. */
export const me = {
  get: operation({
    method: 'GET',
    path: '/me',
    guard: 'user',
    summary: 'Who I am',
    input: z.object({}),
    output: z.object({
      user: User,
      tokenId: z.string().nullable(),
      teams: z.array(z.object({ teamId: Id, name: z.string() })).describe('those I am a member of'),
    }),
  }),
  preferences: operation({
    method: 'GET',
    path: '/me/clients',
    guard: 'user',
    summary: "My own layer: what each of my clients may use, by the client's name",
    input: z.object({}),
    output: z.object({ clients: z.record(z.string(), Permissions) }),
  }),
  setPreferences: operation({
    method: 'PUT',
    path: '/me/clients/:client',
    guard: 'user',
    summary: 'Replace what one of my clients may use; it can only narrow',
    input: z.object({ client: z.string().min(1).max(200), permissions: Permissions }),
    output: z.object({ clients: z.record(z.string(), Permissions) }),
  }),
};
