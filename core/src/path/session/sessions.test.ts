import { expect, test } from 'vitest';
import { type Arrival, type Caller, EVERYWHERE } from '#call';
import { createSessions, hashOfSession } from './sessions.ts';
import { memoryStore } from './test-store.ts';

const caller = (userId: string | null, { workspaceId = 'w', kind = 'user' as Caller['kind'] } = {}): Caller => ({
  workspaceId,
  kind,
  userId,
  role: 3,
  tokenId: 't',
  scope: EVERYWHERE,
  operations: null,
  isAuditor: false,
  owner: null,
  endsAt: null,
  permissions: {},
  preferences: {},
});
const client = { name: 'test', version: '1', capabilities: {} };
const arrival = (sessionId: string | undefined, endpoint = '/mcp'): Arrival => ({
  endpoint,
  bearer: undefined,
  address: '127.0.0.1',
  sessionId,
  client: undefined,
});
const ada = caller('ada');
const build = (options: Partial<Parameters<typeof createSessions>[0]> = {}) =>
  createSessions({ store: memoryStore(), now: () => 0, idleMs: 1000, ...options });

test('a session id opens nothing for anybody else, and nothing elsewhere', async () => {
  const sessions = build();
  const { id } = await sessions.create(ada, '/mcp', client, '2025-11-25');
  expect(await sessions.client(arrival(id), ada)).toBe(client);
  const others = [caller('bob'), caller('ada', { workspaceId: 'other' }), caller(null, { kind: 'machine' })];
  for (const other of others)
    expect(await sessions.client(arrival(id), other)).toMatchObject({ code: 'unknown-session' });
  expect(await sessions.client(arrival(id, '/mcp/e/team'), ada)).toMatchObject({ code: 'unknown-session' });
  expect(await sessions.client(arrival('made-up'), ada)).toMatchObject({ code: 'unknown-session' });
});

test('nobody without a token has the session of the machine, though neither is a user', async () => {
  const sessions = build();
  const { id } = await sessions.create(caller(null, { kind: 'machine' }), '/mcp', client, '2025-11-25');
  const anybody = caller(null, { kind: 'anonymous' });
  expect(await sessions.client(arrival(id), anybody)).toMatchObject({ code: 'unknown-session' });
});

test('a session nobody uses ends, one with an open stream stays', async () => {
  let time = 0;
  const ended: string[] = [];
  const sessions = build({ now: () => time, onEnd: ({ id }) => void ended.push(id) });
  const create = () => sessions.create(ada, '/mcp', client, '2025-11-25');
  const [idle, streaming, used] = [await create(), await create(), await create()];
  streaming.open = 1;
  time = 900;
  await sessions.client(arrival(used.id), ada);
  time = 1500;
  await sessions.sweep();
  expect(ended).toEqual([idle.id]);
  expect(sessions.count()).toBe(2);
});

test('an ended session is not known any more, here or to another process', async () => {
  const store = memoryStore();
  const [here, there] = [build({ store }), build({ store })];
  const session = await here.create(ada, '/mcp', client, '2025-11-25');
  await there.client(arrival(session.id), ada);
  await here.end(session);
  expect(here.find(session.id, ada, '/mcp')).toBeUndefined();
  await there.refresh(hashOfSession(session.id));
  expect(await there.client(arrival(session.id), ada)).toMatchObject({ code: 'unknown-session' });
});

test('another process knows the session and what its client has set, and hears of changes', async () => {
  const store = memoryStore();
  const [here, there] = [build({ store }), build({ store })];
  const session = await here.create(ada, '/mcp', client, '2025-11-25');
  session.logLevel = 'error';
  await here.save(session);
  expect(await there.client(arrival(session.id), ada)).toEqual(client);
  expect(there.find(session.id, ada, '/mcp')).toMatchObject({ logLevel: 'error', protocolVersion: '2025-11-25' });
  session.subscriptions = ['files::a'];
  await here.save(session);
  expect(await there.refresh(hashOfSession(session.id))).toMatchObject({ subscriptions: ['files::a'] });
});

test('the id of a session is not in the store', async () => {
  const store = memoryStore();
  const { id } = await build({ store }).create(ada, '/mcp', client, '2025-11-25');
  expect(JSON.stringify([...store.kept])).not.toContain(id);
});
