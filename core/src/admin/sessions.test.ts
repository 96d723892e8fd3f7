import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { schema } from '#db';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
const tokens: Record<string, string> = {};
const hashOf = (id: string) => createHash('sha256').update(id).digest('hex');

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
  for (const [id, role] of [
    ['owner', 1],
    ['administrator', 2],
    ['ada', 3],
    ['grace', 3],
  ] as const)
    tokens[id] = (await admin.addPerson(id, role)).token;
  tokens.auditor = (await admin.addPerson('auditor', 3, {}, null, 'auditor')).token;
  await ask('ada', 'POST', '/agents', { userId: 'bot' });
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.db.delete(schema.sessions);
  for (const userId of ['owner', 'administrator', 'ada', 'grace', 'bot', null])
    await database.db.insert(schema.sessions).values({
      hash: hashOf(String(userId)),
      workspaceId: 'default',
      kind: userId === null ? 'anonymous' : 'user',
      userId,
      endpoint: '/mcp',
      client: { name: 'claude', version: '2', capabilities: {} },
      protocolVersion: '2025-11-25',
    });
  admin.seen.published.length = 0;
});

const ask = (who: string, method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
  admin.rest(method, path, { token: tokens[who], ...(body && { body }) });
const seenBy = async (who: string, query = '') =>
  ((await ask(who, 'GET', `/sessions${query}`)).json.sessions as { userId: string | null }[])
    .map(({ userId }) => String(userId))
    .sort();
const end = (who: string, whose: string) => ask(who, 'DELETE', `/sessions/${hashOf(whose)}`);

test('one sees own sessions and those of own agents; administrators and auditors those of everybody', async () => {
  expect(await seenBy('ada')).toEqual(['ada', 'bot']);
  expect(await seenBy('grace')).toEqual(['grace']);
  expect(await seenBy('ada', '?userId=bot')).toEqual(['bot']);
  expect((await ask('ada', 'GET', '/sessions?userId=grace')).status).toBe(403);
  const all = ['ada', 'administrator', 'bot', 'grace', 'null', 'owner'];
  for (const who of ['administrator', 'auditor', 'owner']) expect(await seenBy(who)).toEqual(all);
});

test('a session is shown with its client and its open streams', async () => {
  const processId = '11111111-1111-4111-8111-111111111111';
  const gone = '22222222-2222-4222-8222-222222222222';
  const { processes, streams } = schema;
  await database.db.insert(processes).values([
    { id: processId, instanceId: 'a' },
    { id: gone, instanceId: 'b', seenAt: new Date(0) },
  ]);
  const session = hashOf('grace');
  await database.db.insert(streams).values([
    { id: 'open', session, processId },
    { id: 'ended', session, processId, endedAt: new Date() },
    { id: 'abandoned', session, processId: gone },
  ]);
  expect((await ask('grace', 'GET', '/sessions')).json.sessions).toEqual([
    {
      sessionId: session,
      userId: 'grace',
      kind: 'user',
      endpoint: '/mcp',
      client: { name: 'claude', version: '2' },
      protocolVersion: '2025-11-25',
      openStreams: 1,
      createdAt: expect.any(String),
      lastUsedAt: expect.any(String),
    },
  ]);
});

test('one ends own sessions and those of own agents, and is not told of others', async () => {
  expect((await end('ada', 'bot')).status).toBe(200);
  expect((await end('ada', 'ada')).status).toBe(200);
  expect((await end('ada', 'ada')).json.code).toBe('SESSION_NOT_FOUND');
  expect((await end('ada', 'grace')).json.code).toBe('SESSION_NOT_FOUND');
  expect((await end('ada', 'null')).json.code).toBe('SESSION_NOT_FOUND');
  expect(await seenBy('ada')).toEqual([]);
  expect(admin.seen.published).toEqual([`session ${hashOf('bot')}`, `session ${hashOf('ada')}`]);
});

test('an administrator ends those of users and of anybody; the owner’s ends the owner alone', async () => {
  expect((await end('administrator', 'owner')).status).toBe(403);
  expect((await end('auditor', 'grace')).status).toBe(403);
  for (const whose of ['grace', 'null', 'administrator']) expect((await end('administrator', whose)).status).toBe(200);
  expect((await end('owner', 'owner')).status).toBe(200);
});
