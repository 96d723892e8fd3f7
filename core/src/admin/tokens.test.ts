import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
type Person = { token: string; tokenId: string };
let owner: Person;
let administrator: Person;
let user: Person;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
});
afterAll(() => database.drop());
beforeEach(async () => {
  owner = await admin.addPerson('owner', 1);
  administrator = await admin.addPerson('administrator', 2);
  user = await admin.addPerson('user', 3);
  admin.seen.changes.length = 0;
  admin.seen.published.length = 0;
});
afterEach(() => database.db.$client.query('delete from "user"; delete from token'));

const issue = ({ token }: Person, body: object = {}) => admin.rest('POST', '/tokens', { token, body });
const rotate = ({ token }: Person, tokenId: string, body: object = {}) =>
  admin.rest('POST', `/tokens/${tokenId}/rotate`, { token, body });
const revoke = ({ token }: Person, tokenId: string) => admin.rest('DELETE', `/tokens/${tokenId}`, { token });
type Listed = { tokenId: string; userId: string; expiresAt: string | null; revokedAt: string | null };
const list = async ({ token }: Person, query = ''): Promise<Listed[]> =>
  (await admin.rest('GET', `/tokens${query}`, { token })).json.tokens as Listed[];
const secretOf = ({ json }: { json: Record<string, unknown> }): string => String(json.secret);
const works = async (token: string) => (await admin.rest('GET', '/me', { token })).status === 200;
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

describe('a token', () => {
  test('is shown once, kept as a hash, and works', async () => {
    const issued = await issue(user, { name: 'laptop' });
    const secret = secretOf(issued);
    expect(secret).toMatch(/^peta_[A-Za-z0-9_-]{43}$/);
    expect(await works(secret)).toBe(true);
    expect(issued.json.token).toMatchObject({ userId: 'user', name: 'laptop', mask: `${secret.slice(0, 9)}…` });
    const { rows } = await database.db.$client.query('select * from token');
    expect(JSON.stringify([rows, await list(user), admin.seen.changes])).not.toContain(secret);
    expect(admin.seen.changes).toMatchObject([
      { operation: 'tokens.issue', outcome: 'done', details: { result: { secret: '[secret]' } } },
    ]);
    expect(admin.seen.changes[0]?.details.result).toHaveProperty('tokenId', (issued.json.token as Listed).tokenId);
  });

  test('that is rotated goes on for the overlap, but never longer than it would have', async () => {
    const { tokenId } = (await issue(user)).json.token as Listed;
    expect(await works(secretOf(await rotate(user, tokenId, { overlapSeconds: 60 })))).toBe(true);
    const end = (await list(user)).find((one) => one.tokenId === tokenId)?.expiresAt ?? '';
    expect(Math.abs(Date.parse(end) - Date.now() - 60_000)).toBeLessThan(5_000);
    await rotate(user, tokenId, { overlapSeconds: 3600 });
    expect((await list(user)).find((one) => one.tokenId === tokenId)?.expiresAt).toBe(end);
    expect(admin.seen.published).toEqual([`token ${tokenId}`, `token ${tokenId}`]);
  });

  test('that is revoked stays so, has no successor, and everybody is told', async () => {
    const { tokenId } = (await issue(user)).json.token as Listed;
    expect((await revoke(user, tokenId)).status).toBe(200);
    const at = (await list(user)).find((one) => one.tokenId === tokenId)?.revokedAt;
    await revoke(user, tokenId);
    expect((await list(user)).find((one) => one.tokenId === tokenId)?.revokedAt).toBe(at);
    expect((await rotate(user, tokenId)).status).toBe(400);
    expect(admin.seen.published).toContain(`token ${tokenId}`);
  });

  test('that has expired has no successor', async () => {
    const { tokenId } = await admin.addPerson('late', 3, {}, inHours(-1));
    expect((await rotate(owner, tokenId)).json.message).toContain('expired');
  });

  test('cannot expire before it begins', async () => {
    expect((await issue(user, { expiresAt: inHours(-1) })).json.code).toBe('INVALID_REQUEST');
  });

  test('with a mistyped scope is not issued at all', async () => {
    for (const body of [
      { scope: { server: ['notes'] } },
      { scopes: { servers: ['notes'] } },
      { scope: { tools: ['notes'] } },
      { scope: { tools: ['notes:list'] } },
      { scope: { operations: ['users.lists'] } },
    ])
      expect((await issue(user, body)).json).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await list(user)).toHaveLength(1);
  });
});

test('tokens that nobody uses, and those that end soon, can be asked for', async () => {
  const soon = (await issue(user, { name: 'soon', expiresAt: inHours(1) })).json.token as Listed;
  const late = (await issue(user, { name: 'late', expiresAt: inHours(48) })).json.token as Listed;
  await issue(user, { name: 'revoked', expiresAt: inHours(1) }).then(({ json }) =>
    revoke(user, (json.token as Listed).tokenId),
  );
  await database.db.$client.query('update token set last_used_at = now() where id <> $1', [late.tokenId]);
  const idsOf = async (query: string) => (await list(user, query)).map(({ tokenId }) => tokenId);
  expect(await idsOf(`?endsBefore=${inHours(24)}`)).toEqual([soon.tokenId]);
  expect(await idsOf(`?unusedSince=${inHours(-1)}`)).toEqual([]);
  await database.db.$client.query(`update token set created_at = now() - interval '1 day' where id = $1`, [
    late.tokenId,
  ]);
  expect(await idsOf(`?unusedSince=${inHours(-1)}`)).toEqual([late.tokenId]);
});

describe('a person', () => {
  test('sees and manages only their own', async () => {
    expect((await list(user)).map(({ userId }) => userId)).toEqual(['user']);
    expect((await admin.rest('GET', '/tokens?userId=owner', { token: user.token })).status).toBe(403);
    expect((await issue(user, { userId: 'owner' })).status).toBe(403);
    for (const tokenId of [owner.tokenId, administrator.tokenId]) {
      expect((await rotate(user, tokenId)).json.code).toBe('TOKEN_NOT_FOUND');
      expect((await revoke(user, tokenId)).json.code).toBe('TOKEN_NOT_FOUND');
    }
    expect(await works(owner.token)).toBe(true);
  });
});

describe('an administrator', () => {
  test('manages the tokens of users, and sees none of the owner', async () => {
    expect((await list(administrator)).map(({ userId }) => userId).sort()).toEqual(['administrator', 'user']);
    expect(await list(administrator, '?userId=owner')).toEqual([]);
    expect(await works(secretOf(await issue(administrator, { userId: 'user' })))).toBe(true);
    expect((await revoke(administrator, user.tokenId)).status).toBe(200);
    expect((await issue(administrator, { userId: 'nobody' })).json.code).toBe('USER_NOT_FOUND');
  });

  test('touches neither those of the owner nor of another administrator', async () => {
    const peer = await admin.addPerson('peer', 2);
    for (const { tokenId } of [owner, peer]) {
      expect((await rotate(administrator, tokenId)).status).toBe(403);
      expect((await revoke(administrator, tokenId)).status).toBe(403);
    }
    for (const userId of ['owner', 'peer']) expect((await issue(administrator, { userId })).status).toBe(403);
  });
});

test('the owner sees and manages everyone’s', async () => {
  expect((await list(owner)).map(({ userId }) => userId).sort()).toEqual(['administrator', 'owner', 'user']);
  expect((await revoke(owner, administrator.tokenId)).status).toBe(200);
});

describe('a confined token', () => {
  test('makes, renews and ends none that reaches further', async () => {
    const confined = await admin.addPerson('agent', 3, { servers: ['notes', 'files'] });
    const { json } = await admin.rest('POST', '/tokens', { token: owner.token, body: { userId: 'agent' } });
    const { tokenId } = json.token as Listed;
    for (const scope of [{}, { servers: ['notes', 'mail'] }])
      expect((await issue(confined, { scope })).status).toBe(403);
    expect((await rotate(confined, tokenId)).status).toBe(403);
    expect((await revoke(confined, tokenId)).status).toBe(403);
    expect((await issue(confined, { scope: { servers: ['notes'] } })).status).toBe(200);
    expect((await rotate(confined, confined.tokenId)).status).toBe(200);
  });

  test.each([
    ['endpoints', ['/api/v1']],
    ['tools', ['notes::list']],
    ['operations', ['tokens.issue', 'tokens.rotate', 'tokens.revoke']],
    ['environments', ['staging']],
  ])('to %s makes, renews and ends none that is not', async (kind, values) => {
    const confined = await admin.addPerson('agent', 3, { [kind]: values });
    const free = await admin.rest('POST', '/tokens', { token: owner.token, body: { userId: 'agent' } });
    const { tokenId } = free.json.token as Listed;
    expect((await issue(confined)).status).toBe(403);
    expect((await issue(confined, { scope: { servers: ['notes'] } })).status).toBe(403);
    expect((await rotate(confined, tokenId)).status).toBe(403);
    expect((await revoke(confined, tokenId)).status).toBe(403);
    expect((await issue(confined, { scope: { [kind]: values, servers: ['notes'] } })).status).toBe(200);
    expect((await issue(confined, { scope: { [kind]: [] } })).status).toBe(200);
  });

  test.each([{ servers: ['notes'] }, { tools: ['notes::list'] }, { environments: ['staging'] }])(
    'of the owner does not administer: %o',
    async (scope) => {
      const confined = await admin.addPerson('owner', 1, scope);
      expect((await admin.rest('POST', '/setup-links', { token: confined.token, body: {} })).status).toBe(403);
      expect((await admin.rest('GET', '/users', { token: confined.token })).status).toBe(403);
    },
  );
});

test('a token that ends does not prolong itself', async () => {
  const end = inHours(1);
  const ending = await admin.addPerson('guest', 3, {}, end);
  const forever = (await issue(owner, { userId: 'guest' })).json.token as Listed;
  for (const expiresAt of [null, inHours(2)]) expect((await issue(ending, { expiresAt })).status).toBe(403);
  expect((await rotate(ending, forever.tokenId)).status).toBe(403);
  expect((await admin.rest('POST', '/agents', { token: ending.token, body: { userId: 'bot' } })).status).toBe(200);
  expect((await issue(ending, { userId: 'bot' })).status).toBe(403);
  expect((await issue(ending, { expiresAt: end })).status).toBe(200);
  expect((await rotate(ending, ending.tokenId)).json.token).toMatchObject({ expiresAt: end });
});
