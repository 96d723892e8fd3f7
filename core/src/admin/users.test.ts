import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
let owner: string;
let administrator: string;
let user: string;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
});
afterAll(() => database.drop());
beforeEach(async () => {
  owner = (await admin.addPerson('owner', 1)).token;
  administrator = (await admin.addPerson('administrator', 2)).token;
  user = (await admin.addPerson('user', 3)).token;
  await admin.addPerson('other-administrator', 2);
  admin.seen.changes.length = 0;
  admin.seen.published.length = 0;
});
afterEach(() => database.db.$client.query('delete from "user"; delete from token'));

const change = (token: string, userId: string, body: object) =>
  admin.rest('PATCH', `/users/${userId}`, { token, body });

describe('people', () => {
  test('are added, found, counted, changed and removed; each change is recorded and told', async () => {
    const added = await admin.rest('POST', '/users', { token: owner, body: { userId: 'ada', name: 'Ada' } });
    expect(added.json.user).toMatchObject({ userId: 'ada', role: 3, status: 1, permissions: {}, ratelimit: 100 });
    expect((await admin.rest('GET', '/users?role=3', { token: owner })).json.users).toMatchObject([
      { userId: 'ada' },
      { userId: 'user' },
    ]);
    expect((await admin.rest('GET', '/users/count?excludeRole=1', { token: owner })).json).toEqual({ count: 4 });
    const permissions = { notes: { enabled: true } };
    expect((await change(administrator, 'ada', { permissions, notes: 'hi' })).json.user).toMatchObject({
      permissions,
      notes: 'hi',
      name: 'Ada',
    });
    expect((await admin.rest('DELETE', '/users/ada', { token: administrator })).status).toBe(200);
    expect((await admin.rest('GET', '/users/ada', { token: owner })).json.code).toBe('USER_NOT_FOUND');
    expect(admin.seen.published).toEqual(['user ada', 'user ada']);
    expect(admin.seen.changes).toMatchObject([
      { operation: 'users.create', target: 'ada', outcome: 'done', caller: { userId: 'owner' } },
      {
        operation: 'users.update',
        target: 'ada',
        details: { asked: { permissions }, before: { permissions: {} }, result: { user: { permissions } } },
      },
      { operation: 'users.remove', target: 'ada', details: { before: { name: 'Ada' } } },
    ]);
  });

  test('have ids of their own', async () => {
    const again = await admin.rest('POST', '/users', { token: owner, body: { userId: 'user', name: 'Again' } });
    expect([again.status, again.json.code]).toEqual([409, 'USER_EXISTS']);
    expect(admin.seen.changes).toMatchObject([{ operation: 'users.create', outcome: 'refused' }]);
  });

  test('lose their tokens when they go', async () => {
    await admin.rest('DELETE', '/users/user', { token: owner });
    expect((await admin.rest('GET', '/me', { token: user })).status).toBe(401);
  });

  test('are disabled once', async () => {
    expect((await admin.rest('POST', '/users/user/disable', { token: administrator, body: {} })).status).toBe(200);
    const again = await admin.rest('POST', '/users/user/disable', { token: administrator, body: {} });
    expect([again.status, again.json.code]).toEqual([409, 'USER_ALREADY_DISABLED']);
  });

  test.each([
    ['GET', '/users/nobody', undefined],
    ['PATCH', '/users/nobody', { name: 'x' }],
    ['DELETE', '/users/nobody', undefined],
    ['POST', '/users/nobody/disable', {}],
    ['PUT', '/users/nobody/permissions', { permissions: {} }],
    ['GET', '/users/nobody/capabilities', undefined],
  ] as const)('who are not there are not found: %s %s', async (method, path, body) => {
    const { status, json } = await admin.rest(method, path, { token: owner, body });
    expect([status, json.code]).toEqual([404, 'USER_NOT_FOUND']);
  });
});

describe('the owner', () => {
  test.each([
    ['PATCH', '/users/owner', { status: 0 }],
    ['PATCH', '/users/owner', { status: 3 }],
    ['PATCH', '/users/owner', { expiresAt: '2020-01-01T00:00:00Z' }],
    ['POST', '/users/owner/disable', {}],
    ['DELETE', '/users/owner', undefined],
  ] as const)('cannot be locked out, not even by themself: %s %s %o', async (method, path, body) => {
    const { status, json } = await admin.rest(method, path, { token: owner, body });
    expect([status, json.code]).toEqual([403, 'FORBIDDEN']);
    expect((await admin.rest('GET', '/me', { token: owner })).json.user).toMatchObject({ status: 1, expiresAt: null });
  });

  test('cannot be made a second time', async () => {
    const body = { userId: 'usurper', name: 'Usurper', role: 1 };
    expect((await admin.rest('POST', '/users', { token: owner, body })).status).toBe(400);
  });
});

describe('an administrator', () => {
  test.each(['owner', 'other-administrator'])('changes nothing of %s', async (userId) => {
    for (const body of [{ name: 'x' }, { status: 0 }, { permissions: {} }, { expiresAt: null }])
      expect((await change(administrator, userId, body)).status).toBe(403);
    expect((await admin.rest('DELETE', `/users/${userId}`, { token: administrator })).status).toBe(403);
    expect((await admin.rest('POST', `/users/${userId}/disable`, { token: administrator, body: {} })).status).toBe(403);
  });

  test('may rename themself, but not reach further', async () => {
    expect((await change(administrator, 'administrator', { name: 'Me' })).status).toBe(200);
    for (const body of [{ permissions: {} }, { ratelimit: 1_000_000 }, { expiresAt: null }])
      expect((await change(administrator, 'administrator', body)).status).toBe(403);
  });

  test('who removes everyone removes those below; the owner who does keeps only themself', async () => {
    const all = async () => {
      const { json } = await admin.rest('GET', '/users', { token: owner });
      return (json.users as { userId: string }[]).map(({ userId }) => userId);
    };
    expect((await admin.rest('DELETE', '/users', { token: administrator })).json).toEqual({ deletedCount: 1 });
    expect(await all()).toEqual(['administrator', 'other-administrator', 'owner']);
    expect((await admin.rest('DELETE', '/users', { token: owner })).json).toEqual({ deletedCount: 2 });
    expect(await all()).toEqual(['owner']);
    expect((await admin.rest('GET', '/me', { token: administrator })).status).toBe(401);
    expect(admin.seen.published).toEqual(
      expect.arrayContaining(['user user', 'user administrator', 'user other-administrator']),
    );
  });
});

describe('one’s own layer', () => {
  const set = (client: string, permissions: object) =>
    admin.rest('PUT', `/me/clients/${encodeURIComponent(client)}`, { token: user, body: { permissions } });

  test('is kept by client name, whatever the name, and forgotten when empty', async () => {
    const permissions = { notes: { enabled: false } };
    await set('Claude Code', permissions);
    await set('a/b {"x"}', permissions);
    expect((await admin.rest('GET', '/me/clients', { token: user })).json).toEqual({
      clients: { 'Claude Code': permissions, 'a/b {"x"}': permissions },
    });
    expect((await set('Claude Code', {})).json).toEqual({ clients: { 'a/b {"x"}': permissions } });
    expect(admin.seen.published).toEqual(['user user', 'user user', 'user user']);
  });

  test('cannot grow without end', async () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`client ${i}`, {}]));
    await database.db.$client.query('update "user" set preferences = $1 where id = $2', [many, 'user']);
    expect((await set('one more', { notes: { enabled: false } })).json).toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('100'),
    });
    expect((await set('client 7', { notes: { enabled: false } })).status).toBe(200);
  });

  test('says who one is', async () => {
    const { json } = await admin.rest('GET', '/me', { token: user });
    expect(json).toMatchObject({ user: { userId: 'user', role: 3 }, tokenId: expect.any(String) });
  });
});
