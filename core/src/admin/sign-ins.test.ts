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
  for (const [who, role] of [
    ['owner', 1],
    ['administrator', 2],
    ['second-administrator', 2],
    ['ada', 3],
    ['agent', 3],
  ] as const)
    tokens[who] = (await admin.addPerson(who, role)).token;
  tokens.confined = (await admin.addPerson('confined', 2, { endpoints: ['/api/v1'] })).token;
});
afterAll(() => database.drop());
beforeEach(() => {
  admin.seen.signIns = [];
  admin.seen.changes.length = 0;
  for (const who of ['owner', 'administrator', 'ada']) admin.signedIn(who);
});

const listed = async (who: string, query = '') => {
  const { json } = await admin.rest('GET', `/sign-ins${query}`, { token: tokens[who] });
  return (json.signIns as { userId: string }[] | undefined)?.map(({ userId }) => userId).sort();
};

describe('browsers signed in', () => {
  test('are shown to their people, and but for the owner’s to administrators', async () => {
    expect(await listed('owner')).toEqual(['ada', 'administrator', 'owner']);
    expect(await listed('administrator')).toEqual(['ada', 'administrator']);
    expect(await listed('ada')).toEqual(['ada']);
    expect(await listed('ada', '?userId=owner')).toBeUndefined();
    expect(await listed('administrator', '?userId=owner')).toEqual([]);
  });

  test.each([
    ['ada', 'ada', 200],
    ['ada', 'owner', 404],
    ['second-administrator', 'ada', 200],
    ['second-administrator', 'administrator', 404],
    ['administrator', 'owner', 404],
    ['owner', 'administrator', 200],
  ])('%s signs out a browser of %s: %i', async (who, whose, expected) => {
    const id = admin.seen.signIns.find(({ userId }) => userId === whose)?.signInId;
    const { status } = await admin.rest('DELETE', `/sign-ins/${id}`, { token: tokens[who] });
    expect(status).toBe(expected);
    expect(admin.seen.signIns.some(({ userId }) => userId === whose)).toBe(expected !== 200);
  });

  test('of a person end all together, of nobody else', async () => {
    admin.signedIn('ada');
    const { json } = await admin.rest('POST', '/sign-ins/revoke-all', { token: tokens.ada, body: {} });
    expect(json.message).toContain('2');
    expect(admin.seen.signIns.map(({ userId }) => userId)).toEqual(['owner', 'administrator']);
    const out = (who: string, whose: string) =>
      admin.rest('POST', `/users/${whose}/sign-out`, { token: tokens[who], body: {} });
    expect((await out('administrator', 'owner')).status).toBe(403);
    expect((await out('owner', 'administrator')).status).toBe(200);
    expect(admin.seen.signIns.map(({ userId }) => userId)).toEqual(['owner']);
  });
});

describe('an invitation', () => {
  const invite = (who: string, whose: string) =>
    admin.rest('POST', `/users/${whose}/invite`, { token: tokens[who], body: {} });

  test('is a link that is in no log', async () => {
    const { json } = await invite('administrator', 'ada');
    expect(json.link).toBe('http://127.0.0.1:3002/sign-in/welcome#default/ada/petawelcome_secret-of-the-invitation');
    expect(admin.seen.changes).toMatchObject([{ operation: 'users.invite', target: 'ada', outcome: 'done' }]);
    expect(JSON.stringify(admin.seen.changes)).not.toContain('petawelcome');
  });

  test.each([
    ['ada', 'agent', 403],
    ['administrator', 'owner', 403],
    ['administrator', 'second-administrator', 403],
    ['administrator', 'administrator', 403],
    ['confined', 'ada', 403],
    ['administrator', 'agent', 400],
    ['administrator', 'nobody', 404],
    ['owner', 'administrator', 200],
  ])('by %s for %s: %i', async (who, whose, expected) => {
    expect((await invite(who, whose)).status).toBe(expected);
  });
});

describe('the cookie of a browser', () => {
  const me = (headers: Record<string, string>, token?: string) => admin.rest('GET', '/me', { token, headers });

  test('speaks where no token is sent', async () => {
    expect((await me({ cookie: 'ada' })).json).toMatchObject({
      user: { userId: 'ada' },
      tokenId: 'signin_of-the-cookie',
    });
  });

  test('never speaks beside a token, good or bad, or any other Authorization', async () => {
    expect((await me({ cookie: 'ada' }, tokens.administrator)).json.user).toMatchObject({ userId: 'administrator' });
    expect((await me({ cookie: 'ada' }, 'peta_never-issued')).status).toBe(401);
    for (const authorization of ['Basic abc', 'Bearer', 'Bearer  ', ''])
      expect((await me({ cookie: 'ada', authorization })).status).toBe(401);
  });

  test('can issue a service token for its person', async () => {
    const { status } = await admin.rest('POST', '/tokens', { headers: { cookie: 'ada' }, body: { name: 'mine' } });
    expect(status).toBe(200);
  });
});
