import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
let token: string;

const ask = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) =>
  admin.rest(method, path, { token, body });

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
  const { token: ownerToken } = await admin.addPerson('owner', 1);
  const launchConfig = { type: 'stdio', command: 'node' };
  for (const serverId of ['files', 'notes'])
    await admin.rest('POST', '/servers', { token: ownerToken, body: { serverId, launchConfig } });
  token = (await admin.addPerson('administrator', 2)).token;
});
afterAll(() => database.drop());
beforeEach(() => {
  for (const list of [admin.seen.changes, admin.seen.published]) list.length = 0;
});
afterEach(() => database.db.$client.query('delete from endpoint'));

const selection = [{ serverId: 'files' }];
const create = (body: object = {}) => ask('POST', '/endpoints', { name: 'research', selection, ...body });

test('an administrator makes an endpoint, closed to anybody until it is opened, and everybody is told', async () => {
  const { status, json } = await create();
  expect(status).toBe(200);
  expect(json.endpoint).toMatchObject({
    name: 'research',
    path: '/mcp/e/research',
    enabled: true,
    anonymous: false,
    nameStyle: 'safe',
    selection,
    notes: [],
  });
  expect(admin.seen.published).toEqual(['endpoint research']);
  expect(admin.seen.changes).toMatchObject([{ operation: 'endpoints.create', target: 'research', outcome: 'done' }]);
  expect((await ask('GET', '/endpoints/research')).json).toEqual(json);
  expect((await ask('GET', '/endpoints')).json).toEqual({ endpoints: [json.endpoint] });
});

test('a name is taken once', async () => {
  await create();
  expect((await create()).json).toMatchObject({ code: 'ENDPOINT_EXISTS' });
});

test('a change leaves the rest as it was, and the record holds what was there before', async () => {
  await create({ description: 'for reports', anonymous: true });
  const { json } = await ask('PATCH', '/endpoints/research', { enabled: false });
  expect(json.endpoint).toMatchObject({ description: 'for reports', anonymous: true, enabled: false, selection });
  expect(admin.seen.changes.at(-1)).toMatchObject({
    operation: 'endpoints.update',
    details: { before: { enabled: true } },
  });
});

test('an endpoint that is removed is gone', async () => {
  await create();
  expect((await ask('DELETE', '/endpoints/research')).status).toBe(200);
  for (const answer of [
    await ask('GET', '/endpoints/research'),
    await ask('PATCH', '/endpoints/research', { enabled: true }),
    await ask('DELETE', '/endpoints/research'),
  ])
    expect(answer).toMatchObject({ status: 404, json: { code: 'ENDPOINT_NOT_FOUND' } });
});

const tools = (...names: string[]) => ({ include: { tools: names } });

test.each<[string, object, string]>([
  ['a server that does not exist', { selection: [{ serverId: 'ghost' }] }, 'there is no server with the id "ghost"'],
  ['a server twice', { selection: [...selection, ...selection] }, 'the server files is there twice'],
  ['nothing', { selection: [] }, 'selection'],
  ['a word it does not know', { selection: [{ serverId: 'files', exclude: [] }] }, 'exclude'],
  [
    'a change of a tool that is left out',
    { selection: [{ serverId: 'files', ...tools('a'), changes: { b: { name: 'c' } } }] },
    'the tool b is not among those',
  ],
  [
    'a name that not every client takes',
    { selection: [{ serverId: 'files', changes: { b: { name: 'two words' } } }] },
    'letters, digits',
  ],
  ['an address that is none', { name: '../admin' }, 'name'],
  [
    'two of one name without a prefix',
    { nameStyle: 'none', selection: [{ serverId: 'files' }, { serverId: 'notes' }] },
    '"echo" would stand for both the tool echo of files and the tool echo of notes',
  ],
])('%s is refused with a sentence, and nothing is stored', async (_what, body, sentence) => {
  const { status, json } = await create(body);
  expect([status, json.message]).toEqual([400, expect.stringContaining(sentence)]);
  expect((await ask('GET', '/endpoints')).json).toEqual({ endpoints: [] });
  expect(admin.seen.published).toEqual([]);
});

test('a change to names that collide is refused; switching off what has come to collide is not', async () => {
  await create({ selection: [{ serverId: 'files' }, { serverId: 'notes' }] });
  expect((await ask('PATCH', '/endpoints/research', { nameStyle: 'none' })).status).toBe(400);
  await database.db.$client.query(`update endpoint set name_style = 'none'`);
  const { json } = await ask('GET', '/endpoints/research');
  expect(json.endpoint).toMatchObject({ notes: [expect.stringContaining('reached as notes::echo')] });
  expect((await ask('PATCH', '/endpoints/research', { enabled: false })).status).toBe(200);
});
