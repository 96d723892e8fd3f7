import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Time } from './shapes.ts';

export const Session = z.object({
  sessionId: z.string().describe('names the session here; it is not what the client holds, and opens nothing'),
  userId: z.string().nullable().describe("null for the machine's key and for anybody"),
  kind: z.enum(['user', 'machine', 'anonymous']),
  endpoint: z.string(),
  client: z.object({ name: z.string(), version: z.string() }).describe('as the client named itself'),
  protocolVersion: z.string(),
  openStreams: z.int(),
  createdAt: Time,
  lastUsedAt: Time.describe('to half a minute'),
});
export type Session = z.output<typeof Session>;

/** Sessions of MCP clients. Clients of 2026-07-28 have none: each request of theirs stands for itself. */
export const sessions = {
  list: operation({
    method: 'GET',
    path: '/sessions',
    guard: 'user',
    summary: 'Live MCP sessions, own ones and those of own agents; for administrators those of everybody',
    input: z.object({ userId: z.string().optional() }),
    output: z.object({ sessions: z.array(Session) }),
  }),
  end: operation({
    method: 'DELETE',
    path: '/sessions/:sessionId',
    guard: 'user',
    summary: 'End a session on every replica within a second; its client may begin another while its token works',
    input: z.object({ sessionId: z.string().regex(/^[0-9a-f]{64}$/) }),
    output: Done,
  }),
};
