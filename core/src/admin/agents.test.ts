import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.db.$client.query('delete from "user"; delete from token');
  for (const [id, role] of [
    ['owner', 1],
    ['administrator', 2],
    ['ada', 3],
    ['grace', 3],
  ] as const)
    tokens[id] = (await admin.addPerson(id, role)).token;
  await ask('ada', 'POST', '/agents', { userId: 'bot' });
  admin.seen.published.length = 0;
});

const ask = (who: string, method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object) =>
  admin.rest(method, path, { token: tokens[who], ...(body && { body }) });
const idsOf = async (who: string, query = '') =>
  ((await ask(who, 'GET', `/agents${query}`)).json.agents as { userId: string }[]).map(({ userId }) => userId);
const issue = async (who: string, userId: string, body: object = {}) =>
  (await ask(who, 'POST', '/tokens', { userId, ...body })).json as { secret: string; token: { tokenId: string } };

describe('a user', () => {
  test('makes, changes and removes own agents, and is told of no other', async () => {
    const permissions = { notes: { enabled: true } };
    expect((await ask('ada', 'PATCH', '/agents/bot', { name: 'Bot', permissions })).json.agent).toMatchObject({
      userId: 'bot',
      kind: 'agent',
      role: 3,
      ownerUserId: 'ada',
      ownerTeamId: null,
      permissions,
    });
    expect([await idsOf('ada'), await idsOf('grace'), await idsOf('administrator')]).toEqual([['bot'], [], ['bot']]);
    for (const [method, body] of [
      ['PATCH', { name: 'x' }],
      ['DELETE', undefined],
    ] as const)
      expect((await ask('grace', method, '/agents/bot', body)).json.code).toBe('USER_NOT_FOUND');
    expect((await ask('grace', 'GET', '/agents?ownerUserId=ada')).status).toBe(403);
    expect((await ask('ada', 'DELETE', '/agents/bot')).status).toBe(200);
    expect(await idsOf('ada')).toEqual([]);
    expect(admin.seen.published).toEqual(['user bot', 'user bot']);
  });

  test('makes none for others or for teams, and takes nobody’s id', async () => {
    expect((await ask('ada', 'POST', '/agents', { userId: 'x', ownerUserId: 'grace' })).status).toBe(403);
    expect((await ask('ada', 'POST', '/agents', { userId: 'x', ownerTeamId: 'crew' })).status).toBe(403);
    expect((await ask('ada', 'POST', '/agents', { userId: 'grace' })).json.code).toBe('USER_EXISTS');
    for (const userId of ['grace', 'ada', 'owner'])
      expect((await ask('ada', 'PATCH', `/agents/${userId}`, { name: 'x' })).json.code).toBe('USER_NOT_FOUND');
  });

  test('issues, sees, rotates and revokes the tokens of own agents', async () => {
    const { secret, token } = await issue('ada', 'bot');
    expect((await admin.rest('GET', '/me', { token: secret })).json.user).toMatchObject({ userId: 'bot' });
    expect((await ask('ada', 'GET', '/tokens?userId=bot')).json.tokens).toMatchObject([{ tokenId: token.tokenId }]);
    expect((await ask('ada', 'POST', `/tokens/${token.tokenId}/rotate`, {})).status).toBe(200);
    expect((await ask('grace', 'DELETE', `/tokens/${token.tokenId}`)).json.code).toBe('TOKEN_NOT_FOUND');
    expect((await ask('ada', 'DELETE', `/tokens/${token.tokenId}`)).status).toBe(200);
    expect((await ask('grace', 'POST', '/tokens', { userId: 'bot' })).status).toBe(403);
  });

  test('enables again what they disabled, but not what an administrator switched off', async () => {
    const set = (who: string, status: number) => ask(who, 'PATCH', '/agents/bot', { status });
    expect((await set('ada', 0)).status).toBe(200);
    expect((await set('ada', 1)).status).toBe(200);
    expect((await ask('administrator', 'POST', '/users/bot/disable', {})).json.user).toMatchObject({ status: 3 });
    expect((await set('ada', 1)).status).toBe(403);
    expect((await set('administrator', 1)).status).toBe(200);
    expect((await set('ada', 3)).status).toBe(403);
  });

  test('has no more agents than is good for the database', async () => {
    await database.db.$client.query(
      `insert into "user" (workspace_id, id, name, role, kind, owner_user_id)
       select 'default', 'many-' || i, 'x', 3, 'agent', 'ada' from generate_series(1, 99) i`,
    );
    expect((await ask('ada', 'POST', '/agents', { userId: 'one-more' })).json.message).toContain('100');
  });
});

describe('an agent', () => {
  test('makes no agents, not even through its owner’s name', async () => {
    tokens.bot = (await issue('ada', 'bot')).secret;
    expect((await ask('bot', 'POST', '/agents', { userId: 'x' })).status).toBe(403);
    expect((await ask('bot', 'POST', '/agents', { userId: 'x', ownerUserId: 'ada' })).status).toBe(403);
    expect(await idsOf('bot')).toEqual([]);
    expect((await ask('bot', 'PATCH', '/agents/bot', { permissions: {} })).json.code).toBe('USER_NOT_FOUND');
  });

  test('has no role and no e-mail address', async () => {
    for (const body of [{ roleId: 'auditor' }, { email: 'bot@example.com' }])
      expect((await ask('owner', 'PATCH', '/users/bot', body)).status).toBe(400);
  });

  test('goes with its owner, so that nobody after them inherits it', async () => {
    const { secret } = await issue('ada', 'bot');
    await ask('administrator', 'DELETE', '/users/ada');
    expect((await admin.rest('GET', '/me', { token: secret })).status).toBe(401);
    expect(admin.seen.published).toEqual(['user ada', 'user bot']);
    await admin.addPerson('ada', 3);
    expect(await idsOf('administrator')).toEqual([]);
  });
});

describe('an administrator', () => {
  test('makes agents of users and teams, but none of the owner', async () => {
    await ask('administrator', 'POST', '/teams', { teamId: 'crew' });
    const make = (body: object) => ask('administrator', 'POST', '/agents', { userId: 'x', ...body });
    expect((await make({ ownerUserId: 'owner' })).status).toBe(403);
    expect((await make({ ownerUserId: 'ada', ownerTeamId: 'crew' })).status).toBe(400);
    expect((await make({ ownerTeamId: 'nothing' })).json.code).toBe('TEAM_NOT_FOUND');
    expect((await make({ ownerUserId: 'bot' })).status).toBe(403);
    expect((await make({ ownerTeamId: 'crew' })).json.agent).toMatchObject({ ownerUserId: null, ownerTeamId: 'crew' });
    expect(await idsOf('administrator', '?ownerTeamId=crew')).toEqual(['x']);
  });
});

test.each([
  ['servers', { servers: ['notes'] }],
  ['tools', { tools: ['notes::list'] }],
  ['environments', { environments: ['staging'] }],
  ['endpoints', { endpoints: ['/api/v1'] }],
])('a token confined to %s manages no agents, through which it would reach further', async (_what, scope) => {
  tokens.confined = (await issue('ada', 'ada', { scope })).secret;
  expect((await ask('confined', 'POST', '/agents', { userId: 'x' })).status).toBe(403);
  expect((await ask('confined', 'PATCH', '/agents/bot', { permissions: {} })).status).toBe(403);
  expect((await ask('confined', 'DELETE', '/agents/bot')).status).toBe(403);
  expect((await ask('confined', 'POST', '/tokens', { userId: 'bot' })).status).toBe(403);
});
