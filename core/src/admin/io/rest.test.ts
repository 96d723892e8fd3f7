import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Unavailable } from '#lib/unavailable';
import { createTestDatabase } from '../../db/test-database.ts';
import { openEnvelope } from '../../path/vault/envelope.ts';
import { toAdminError } from './rest.ts';
import { createTestAdmin, type TestAdmin } from './test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
let token: string;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
  token = (await admin.addPerson('owner', 1)).token;
});
afterAll(() => database.drop());
beforeEach(() => {
  admin.broken.audit = false;
  admin.seen.changes.length = 0;
  admin.seen.faults.length = 0;
});

const raw = (url: string, payload: string, type = 'application/json') =>
  admin.app.inject({
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${token}`, 'content-type': type },
    payload,
  });

describe('what cannot be read is refused in our words', () => {
  test.each([
    ['malformed JSON', '{"secret-in-body', 'application/json', 400, 'INVALID_REQUEST', 'Bad Request'],
    ['nothing', '', 'application/json', 400, 'INVALID_REQUEST', 'Bad Request'],
    ['a list', '[1]', 'application/json', 400, 'INVALID_REQUEST', 'Bad Request'],
    ['a poisoned object', '{"__proto__":{"x":1}}', 'application/json', 400, 'INVALID_REQUEST', 'Bad Request'],
    ['another type', 'secret-in-body', 'application/xml', 415, 'NOT_JSON', 'Unsupported Media Type'],
    ['too much', `"${'x'.repeat(100_001)}"`, 'application/json', 413, 'BODY_TOO_LARGE', 'Payload Too Large'],
  ])('%s', async (_what, payload, type, status, code, error) => {
    const rest = await raw('/api/v1/users', payload, type);
    expect([rest.statusCode, rest.json().code, rest.json().error]).toEqual([status, code, error]);
    expect(rest.json().message.length).toBeGreaterThan(10);
    const action = await raw('/admin', payload, type);
    expect([action.statusCode, action.json()]).toEqual([
      status,
      { success: false, error: { code: 1001, message: expect.any(String) } },
    ]);
    expect(rest.body + action.body).not.toMatch(/secret-in-body|FST_/);
    expect(admin.seen.faults).toEqual([]);
  });
});

test('a refusal names the field, and a field that is not there is one', async () => {
  const { json } = await admin.rest('POST', '/users', { token, body: { userId: 'a b', name: 'x', permissionz: {} } });
  expect(json).toEqual({
    error: 'Bad Request',
    code: 'INVALID_REQUEST',
    message: expect.stringContaining('permissionz'),
  });
  const other = await admin.rest('GET', '/users?role=7', { token });
  expect(other.json.message).toContain('role');
  expect((await admin.rest('GET', '/audit?limit=0', { token })).json.message).toContain('limit');
  expect((await admin.rest('GET', '/audit?cursor=made-up', { token })).json).toMatchObject({
    code: 'INVALID_REQUEST',
    message: expect.stringContaining('cursor'),
  });
});

test('an answer is kept by no cache', async () => {
  for (const one of [await admin.rest('GET', '/users', { token }), await admin.rest('GET', '/users')])
    expect(one.headers['cache-control']).toBe('no-store');
});

test('a token in the address is none', async () => {
  expect((await admin.rest('GET', `/users?token=${token}`)).status).toBe(401);
});

test('a change that cannot be written down is not answered as done', async () => {
  admin.broken.audit = true;
  const { status, json } = await admin.rest('POST', '/users', { token, body: { userId: 'ghost', name: 'Ghost' } });
  expect([status, json.code]).toEqual([500, 'INTERNAL_ERROR']);
  expect(admin.seen.faults).toHaveLength(1);
});

test('a fault tells nothing of its inside, and is written down as failed', async () => {
  await database.asOwner('alter table "user" rename to away');
  const answer = await admin.rest('POST', '/setup', { body: { secret: await admin.setupSecret() } });
  await database.asOwner('alter table away rename to "user"');
  expect([answer.status, answer.json]).toEqual([
    500,
    { error: 'Internal Server Error', code: 'INTERNAL_ERROR', message: 'Peta failed to do this. Its log says why.' },
  ]);
  expect(admin.seen.changes).toMatchObject([{ operation: 'setup.complete', outcome: 'failed' }]);
  expect(admin.seen.faults).toHaveLength(1);
});

test('what is away for now is said as such, and is no fault', () => {
  const faults: unknown[] = [];
  const error = toAdminError(new Unavailable('The database is away.'), (fault) => faults.push(fault));
  expect(error).toMatchObject({ status: 503, actionCode: 5201, message: 'The database is away.' });
  expect(faults).toEqual([]);
});
