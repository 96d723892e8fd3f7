import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';

const MAX = 1_000;

/**
 * Where a token works, and for what. Absent lists mean everywhere its person may go, so a mistyped one is refused, not
 * ignored.
 */
export const TokenScope = z.strictObject({
  servers: z.array(Id).max(MAX).optional(),
  endpoints: z.array(z.string().min(1).max(200)).max(MAX).optional().describe('paths, such as /mcp'),
  tools: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}::[^\s]{1,256}$/, 'server::tool, by the names they have themselves'),
    )
    .max(MAX)
    .optional()
    .describe('server::tool, by the names they have themselves; with it no resource and no prompt'),
  operations: z
    .array(z.string().min(1).max(100))
    .max(MAX)
    .optional()
    .describe('names such as users.list, and the words mcp and scim; nothing else then'),
  environments: z.array(Id).max(MAX).optional().describe('servers of no environment belong to every one'),
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
    summary: 'Service tokens: own ones or those of an own agent, for administrators those of everybody',
    input: z.object({
      userId: Id.optional(),
      unusedSince: Time.optional().describe('only working ones that nobody has used since then'),
      endsBefore: Time.optional().describe('only working ones that end before then'),
    }),
    output: z.object({ tokens: z.array(Token) }),
  }),
  issue: operation({
    method: 'POST',
    path: '/tokens',
    guard: 'user',
    summary: 'Issue a service token for oneself or an own agent, or as an administrator for another',
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
