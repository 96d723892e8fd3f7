import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashToken } from '#lib/token';
import { createTestDatabase } from '../db/test-database.ts';
import { postgresSignIns, signInCredentials } from './io/postgres-sign-ins.ts';
import { createSignIns, type SignIns } from './sign-ins.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let signIns: SignIns;
let clock: number;
const ended: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  signIns = createSignIns({
    store: postgresSignIns(database.db),
    now: () => new Date(clock),
    ended: async (workspaceId, signInId) => void ended.push(`${workspaceId} ${signInId}`),
  });
});
afterAll(() => database.drop());
beforeEach(async () => {
  clock = Date.parse('2026-01-01T00:00:00Z');
  ended.length = 0;
  await database.db.$client.query(`delete from "user"; insert into "user" (workspace_id, id, name, role)
    values ('default', 'ada', 'Ada', 3), ('default', 'bob', 'Bob', 3)`);
});

const begin = (userId = 'ada') =>
  signIns.begin({
    workspaceId: 'default',
    userId,
    methods: ['password'],
    address: '192.0.2.1',
    userAgent: 'x'.repeat(999),
  });
const isIn = async ({ secret }: { secret: string }) => (await signIns.current(hashToken(secret))) !== undefined;
const HOUR = 3_600_000;

describe('a sign-in', () => {
  test('is known by its secret, of which only the hash is kept', async () => {
    const one = await begin();
    expect(await signIns.current(hashToken(one.secret))).toMatchObject({ userId: 'ada', methods: ['password'] });
    const { rows } = await database.db.$client.query('select * from sign_in');
    expect(JSON.stringify(rows)).not.toContain(one.secret);
    expect(rows[0].user_agent).toHaveLength(300);
    expect(one.secret).not.toContain(one.signedIn.signInId);
    expect(await signIns.current(hashToken(one.signedIn.signInId))).toBeUndefined();
  });

  test('ends after twelve hours without use, and goes on while it is used', async () => {
    const [used, idle] = [await begin(), await begin()];
    for (let i = 0; i < 3; i += 1) {
      clock += 11 * HOUR;
      expect(await isIn(used)).toBe(true);
    }
    expect(await isIn(idle)).toBe(false);
    expect(ended).toEqual([`default ${idle.signedIn.signInId}`]);
  });

  test('ends after seven days however much it is used', async () => {
    const one = await begin();
    for (let hours = 0; hours < 7 * 24 - 8; hours += 8) {
      clock += 8 * HOUR;
      expect(await isIn(one)).toBe(true);
    }
    clock += 8 * HOUR;
    expect(await isIn(one)).toBe(false);
  });

  test.each([
    ['is disabled', `update "user" set status = 0 where id = 'ada'`],
    ['has come to their end', `update "user" set expires_at = '2025-12-31' where id = 'ada'`],
    ['is removed', `delete from "user" where id = 'ada'`],
  ])('ends when its person %s', async (_what, change) => {
    const [hers, his] = [await begin(), await begin('bob')];
    await database.db.$client.query(change);
    expect([await isIn(hers), await isIn(his)]).toEqual([false, true]);
    await database.db.$client.query(`update "user" set status = 1, expires_at = null`);
    expect(await isIn(hers)).toBe(false);
  });

  test('is a credential only by its id', async () => {
    const { signedIn, secret } = await begin();
    const credentials = signInCredentials(database.db, async (workspaceId, userId) => ({ workspaceId, userId }));
    const tokenId = `signin_${signedIn.signInId}`;
    expect(await credentials.byId(tokenId)).toMatchObject({
      tokenId,
      userId: 'ada',
      scope: {},
      expiresAt: new Date(clock + 12 * HOUR),
    });
    expect(await credentials.byId(`signin_${secret}`)).toBeUndefined();
  });
});

test('all but one end, each is told of, and others stay', async () => {
  const [first, second, his] = [await begin(), await begin(), await begin('bob')];
  const { signInId } = second.signedIn;
  expect(await signIns.end({ workspaceId: 'default', userId: 'ada', except: signInId })).toBe(1);
  expect(ended).toEqual([`default ${first.signedIn.signInId}`]);
  expect([await isIn(first), await isIn(second), await isIn(his)]).toEqual([false, true, true]);
  expect((await signIns.list('default', 'ada')).map((one) => one.signInId)).toEqual([signInId]);
  expect(await signIns.list('default')).toHaveLength(2);
});

test('what is over is not listed, and is cleared away', async () => {
  await begin();
  clock += 13 * HOUR;
  const late = await begin();
  expect((await signIns.list('default')).map((one) => one.signInId)).toEqual([late.signedIn.signInId]);
  expect(await signIns.sweep()).toBe(1);
});
