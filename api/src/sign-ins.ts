import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';

export const SignIn = z.object({
  signInId: z.string(),
  userId: Id,
  methods: z.array(z.string()).describe('password, totp, passkey, recovery, oidc, saml, setup, invite'),
  address: z.string(),
  userAgent: z.string(),
  createdAt: Time,
  lastSeenAt: Time,
  expiresAt: Time,
  isThis: z.boolean().describe('the one that asks'),
});
export type SignIn = z.output<typeof SignIn>;

/** Where people are signed in with a browser. */
export const signIns = {
  list: operation({
    method: 'GET',
    path: '/sign-ins',
    guard: 'user',
    summary: 'Browsers signed in: own ones, for administrators also those of others',
    input: z.object({ userId: Id.optional() }),
    output: z.object({ signIns: z.array(SignIn) }),
  }),
  revoke: operation({
    method: 'DELETE',
    path: '/sign-ins/:signInId',
    guard: 'user',
    summary: 'Sign a browser out; whatever it holds open ends within a second',
    input: z.object({ signInId: z.string().min(1).max(100) }),
    output: Done,
  }),
  revokeAll: operation({
    method: 'POST',
    path: '/sign-ins/revoke-all',
    guard: 'user',
    summary: 'Sign oneself out of every browser, the one that asks included',
    input: z.object({}),
    output: Done,
  }),
};
