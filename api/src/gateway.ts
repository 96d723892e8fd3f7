import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';
import { User } from './users.ts';

const ProxyShape = z.object({
  id: z.int(),
  name: z.string(),
  proxyKey: z.string().nullable().describe('only for administrators'),
  addtime: z.int().describe('Unix seconds'),
  startPort: z.int(),
});

/** The gateway itself: its published name and key (group 5000), and its first owner. */
export const proxy = {
  get: operation({
    method: 'GET',
    path: '/proxy',
    guard: 'open',
    summary: "This gateway's published identity",
    action: 5001,
    input: z.object({}),
    output: z.object({ proxy: ProxyShape.nullable() }),
  }),
  create: operation({
    method: 'POST',
    path: '/proxy',
    guard: 'owner',
    summary: 'Name this gateway; once',
    action: 5002,
    input: z.object({ name: z.string().min(1).max(200), proxyKey: z.string().min(1).max(500) }),
    output: z.object({ proxy: ProxyShape }),
  }),
  update: operation({
    method: 'PATCH',
    path: '/proxy/:proxyId',
    guard: 'administrator',
    summary: 'Rename this gateway',
    action: 5003,
    input: z.object({ proxyId: z.coerce.number().int(), name: z.string().min(1).max(200) }),
    output: z.object({ proxy: ProxyShape }),
  }),
  remove: operation({
    method: 'DELETE',
    path: '/proxy/:proxyId',
    guard: 'owner',
    summary: 'Forget the name, and with it every server and everyone but the owner',
    action: 5004,
    input: z.object({ proxyId: z.coerce.number().int() }),
    output: Done,
  }),
  stop: operation({
    method: 'POST',
    path: '/proxy/stop',
    guard: 'owner',
    summary: 'Answer, then shut down cleanly',
    action: 5005,
    input: z.object({}),
    output: Done,
  }),
};

export const setup = {
  /** The secret is the one-time set-up link's, never a token. */
  complete: operation({
    method: 'POST',
    path: '/setup',
    guard: 'open',
    summary: 'Use a one-time set-up link: become the owner, or recover the owner’s access',
    input: z.object({
      secret: z.string().min(1).max(200),
      userId: Id.default('owner'),
      name: z.string().min(1).max(200).default('Owner'),
      password: z
        .string()
        .max(1000)
        .optional()
        .describe('to sign in with; where the owner had one, it takes its place, and their browsers are signed out'),
    }),
    output: z.object({ user: User, secret: z.string().describe("the owner's token, shown this once") }),
  }),
  link: operation({
    method: 'POST',
    path: '/setup-links',
    guard: 'owner',
    summary: 'Make a new one-time set-up link; earlier ones end',
    input: z.object({}),
    output: z.object({ setupLink: z.string(), expiresAt: Time }),
  }),
};

export const routes = {
  list: operation({
    method: 'GET',
    path: '/routes',
    guard: 'administrator',
    summary: 'Every HTTP route with its guard',
    input: z.object({}),
    output: z.object({ routes: z.array(z.object({ method: z.string(), url: z.string(), guard: z.string() })) }),
  }),
};
