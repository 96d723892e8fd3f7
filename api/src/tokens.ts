import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';

/** Where a token works. Absent lists mean everywhere its person may go, so a mistyped one is refused, not ignored. */
export const TokenScope = z.strictObject({
  servers: z.array(Id).optional(),
  endpoints: z.array(z.string().min(1).max(200)).optional().describe('paths, such as /mcp'),
});
export type TokenScope = z.output<typeof TokenScope>;

export const Token = z.object({
  tokenId: z.string(),
  userId: Id,
  name: z.string(),
  mask: z.string().describe('the first characters, to recognise it by'),
  scope: TokenScope,
  createdAt: Time,
  expiresAt: Time.nullable(),
  lastUsedAt: Time.nullable(),
  revokedAt: Time.nullable(),
});
export type Token = z.output<typeof Token>;

const Issued = z.object({ token: Token, secret: z.string().describe('shown this once; only a hash is kept') });

export const tokens = {
  list: operation({
    method: 'GET',
    path: '/tokens',
    guard: 'user',
    summary: 'Service tokens: own ones, for administrators also those of others',
    input: z.object({ userId: Id.optional() }),
    output: z.object({ tokens: z.array(Token) }),
  }),
  issue: operation({
    method: 'POST',
    path: '/tokens',
    guard: 'user',
    summary: 'Issue a service token for oneself, or as an administrator for another',
    input: z.object({
      userId: Id.optional(),
      name: z.string().min(1).max(200).default('token'),
      scope: TokenScope.default({}),
      expiresAt: Time.nullable().default(null),
    }),
    output: Issued,
  }),
  rotate: operation({
    method: 'POST',
    path: '/tokens/:tokenId/rotate',
    guard: 'user',
    summary: 'Issue a successor; the old token goes on for the overlap, then ends',
    input: z.object({
      tokenId: z.uuid(),
      overlapSeconds: z
        .int()
        .min(0)
        .max(30 * 86_400)
        .default(3600),
    }),
    output: Issued,
  }),
  revoke: operation({
    method: 'DELETE',
    path: '/tokens/:tokenId',
    guard: 'user',
    summary: 'Revoke a token; its open streams end within a second',
    input: z.object({ tokenId: z.uuid() }),
    output: Done,
  }),
};
