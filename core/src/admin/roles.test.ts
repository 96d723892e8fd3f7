import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
const tokens: Record<string, string> = {};

const HELPER = [
  'users.list',
  'users.update',
  'users.disable',
  'users.remove',
  'users.setPermissions',
  'users.removeAll',
];

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.db.$client.query('delete from "user"; delete from token; delete from role');
  for (const [id, role] of [
    ['owner', 1],
    ['administrator', 2],
    ['plain', 3],
  ] as const)
    tokens[id] = (await admin.addPerson(id, role)).token;
  await ask('owner', 'POST', '/roles', { roleId: 'helper', operations: HELPER });
  tokens.helper = (await admin.addPerson('helper', 3, {}, null, 'helper')).token;
  tokens.auditor = (await admin.addPerson('auditor', 3, {}, null, 'auditor')).token;
  admin.seen.published.length = 0;
});

const ask = (who: string, method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object) =>
  admin.rest(method, path, { token: tokens[who], ...(body && { body }) });
const change = (who: string, userId: string, body: object) => ask(who, 'PATCH', `/users/${userId}`, body);

describe('a role', () => {
  test('is made of operations that exist and that are not the owner’s', async () => {
    const make = (operations: string[]) => ask('owner', 'POST', '/roles', { roleId: 'x', operations });
    expect((await make(['users.lists'])).json.message).toContain('no operation "users.lists"');
    expect((await make(['users.create'])).json.message).toContain("the owner's alone");
    expect((await make(['tokens.issue'])).json.message).toContain('for everybody');
    expect((await ask('owner', 'POST', '/roles', { roleId: 'auditor', operations: [] })).status).toBe(400);
    expect((await make(['users.list', 'users.list'])).json.role).toMatchObject({ operations: ['users.list'] });
    expect((await make([])).json.code).toBe('ROLE_EXISTS');
    const { operations } = (await ask('administrator', 'GET', '/roles/operations')).json as {
      operations: { name: string; isAssignable: boolean }[];
    };
    expect(operations.find(({ name }) => name === 'users.list')).toMatchObject({ isAssignable: true, isReading: true });
    expect(operations.find(({ name }) => name === 'users.create')).toMatchObject({ isAssignable: false });
  });

  test('is changed and removed for all its holders, who are looked at again', async () => {
    await ask('owner', 'PATCH', '/roles/helper', { operations: ['servers.list'] });
    expect((await ask('helper', 'GET', '/users')).status).toBe(403);
    expect((await ask('helper', 'GET', '/servers')).status).toBe(200);
    expect((await ask('owner', 'DELETE', '/roles/helper')).status).toBe(200);
    expect((await ask('helper', 'GET', '/servers')).status).toBe(403);
    expect((await ask('owner', 'GET', '/users/helper')).json.user).toMatchObject({ roleId: null });
    expect(admin.seen.published).toEqual(['user helper', 'user helper']);
    expect((await ask('owner', 'DELETE', '/roles/helper')).json.code).toBe('ROLE_NOT_FOUND');
  });

  test('is given to users alone, by administrators, and must be there', async () => {
    expect((await change('administrator', 'plain', { roleId: 'helper' })).json.user).toMatchObject({
      roleId: 'helper',
    });
    expect((await change('administrator', 'plain', { roleId: null })).json.user).toMatchObject({ roleId: null });
    expect((await change('administrator', 'plain', { roleId: 'nothing' })).status).toBe(400);
    expect((await change('owner', 'administrator', { roleId: 'helper' })).json.message).toContain('only a user');
    const added = { userId: 'new', name: 'New', roleId: 'auditor' };
    expect((await ask('owner', 'POST', '/users', { ...added, role: 2 })).status).toBe(400);
    expect((await ask('owner', 'POST', '/users', added)).json.user).toMatchObject({ role: 3, roleId: 'auditor' });
  });
});

describe('somebody with a role of the workspace', () => {
  test('changes plain people', async () => {
    expect((await change('helper', 'plain', { name: 'Plain', permissions: { notes: { enabled: true } } })).status).toBe(
      200,
    );
    expect((await ask('helper', 'POST', '/users/plain/disable', {})).status).toBe(200);
    expect((await ask('helper', 'DELETE', '/users/plain')).status).toBe(200);
  });

  test.each(['owner', 'administrator', 'auditor', 'helper', 'agent'])('changes nothing of: %s', async (userId) => {
    await ask('owner', 'POST', '/agents', { userId: 'agent' });
    for (const body of [{ name: 'x' }, { status: 0 }, { permissions: {} }, { roleId: null }, { expiresAt: null }])
      expect((await change('helper', userId, body)).status).toBe(403);
    expect((await ask('helper', 'PUT', `/users/${userId}/permissions`, { permissions: {} })).status).toBe(403);
    expect((await ask('helper', 'POST', `/users/${userId}/disable`, {})).status).toBe(403);
    expect((await ask('helper', 'DELETE', `/users/${userId}`)).status).toBe(403);
  });

  test('gives nobody a role or another e-mail address, and sweeps nobody away', async () => {
    for (const body of [{ roleId: 'helper' }, { roleId: 'auditor' }, { roleId: null }, { email: 'me@example.com' }])
      expect((await change('helper', 'plain', body)).status).toBe(403);
    expect((await ask('helper', 'DELETE', '/users')).json).toEqual({ deletedCount: 0 });
  });

  test('issues no token for others and sees none', async () => {
    expect((await ask('helper', 'POST', '/tokens', { userId: 'plain' })).status).toBe(403);
    expect((await ask('helper', 'GET', '/tokens?userId=plain')).status).toBe(403);
  });
});

test('an auditor sees tokens of others, and issues and revokes none, not even own ones', async () => {
  const { tokens: seen } = (await ask('auditor', 'GET', '/tokens')).json as {
    tokens: { userId: string; tokenId: string }[];
  };
  expect(seen.map(({ userId }) => userId).sort()).toEqual(['administrator', 'auditor', 'helper', 'plain']);
  expect((await ask('auditor', 'POST', '/tokens', {})).status).toBe(403);
  const own = seen.find(({ userId }) => userId === 'auditor')?.tokenId;
  expect((await ask('auditor', 'DELETE', `/tokens/${own}`)).status).toBe(403);
});

describe('an e-mail address', () => {
  test('is kept in lower case, belongs to one person, and may be given up', async () => {
    expect((await change('administrator', 'plain', { email: ' Ada@Example.COM ' })).json.user).toMatchObject({
      email: 'ada@example.com',
    });
    expect((await change('administrator', 'helper', { email: 'ADA@example.com' })).json.code).toBe('EMAIL_TAKEN');
    const added = { userId: 'new', name: 'New', email: 'ada@example.com' };
    expect((await ask('owner', 'POST', '/users', added)).json.code).toBe('EMAIL_TAKEN');
    expect((await change('administrator', 'plain', { email: null })).json.user).toMatchObject({ email: null });
    expect((await ask('owner', 'POST', '/users', added)).status).toBe(200);
    expect((await change('administrator', 'plain', { email: 'nonsense' })).status).toBe(400);
  });
});
