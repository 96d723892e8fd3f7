import { expect, test } from 'vitest';
import type { Arrival, Caller } from '#call';
import { createSessions } from './sessions.ts';

const caller = (userId: string, workspaceId = 'w'): Caller => ({
  workspaceId,
  kind: 'user',
  userId,
  role: 3,
  tokenId: 't',
  scope: { servers: null, endpoints: null },
  permissions: {},
  preferences: {},
});
const client = { name: 'test', version: '1', capabilities: {} };
const arrival = (sessionId: string | undefined): Arrival => ({
  endpoint: '/mcp',
  bearer: undefined,
  address: '127.0.0.1',
  sessionId,
  client: undefined,
});

test('a session id opens nothing for anybody else', () => {
  const sessions = createSessions({ now: () => 0, idleMs: 1000 });
  const { id } = sessions.create(caller('ada'), client, '2025-11-25');
  expect(sessions.client(arrival(id), caller('ada'))).toBe(client);
  for (const other of [caller('bob'), caller('ada', 'other')])
    expect(sessions.client(arrival(id), other)).toMatchObject({ code: 'unknown-session' });
  expect(sessions.client(arrival('made-up'), caller('ada'))).toMatchObject({ code: 'unknown-session' });
});

test('a session nobody uses ends, one with an open stream stays', () => {
  let time = 0;
  const ended: string[] = [];
  const sessions = createSessions({ now: () => time, idleMs: 1000, onEnd: ({ id }) => ended.push(id) });
  const idle = sessions.create(caller('ada'), client, '2025-11-25');
  const streaming = sessions.create(caller('ada'), client, '2025-11-25');
  const used = sessions.create(caller('ada'), client, '2025-11-25');
  streaming.open = 1;
  time = 900;
  sessions.client(arrival(used.id), caller('ada'));
  time = 1500;
  sessions.sweep();
  expect(ended).toEqual([idle.id]);
  expect(sessions.count()).toBe(2);
});

test('an ended session is not known any more', () => {
  const sessions = createSessions({ now: () => 0, idleMs: 1000 });
  const session = sessions.create(caller('ada'), client, '2025-11-25');
  sessions.end(session);
  expect(sessions.find(session.id, caller('ada'))).toBeUndefined();
});
