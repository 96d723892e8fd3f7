import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { postgresFailures } from './io/postgres-failures.ts';
import { createThrottle, type Throttle, type Tried, waitOf } from './throttle.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
/** Two replicas on one database. */
let here: Throttle;
let there: Throttle;
let clock: number;

beforeAll(async () => {
  database = await createTestDatabase();
  here = createThrottle(postgresFailures(database.db), () => new Date(clock));
  there = createThrottle(postgresFailures(database.db), () => new Date(clock));
});
afterAll(() => database.drop());
beforeEach(async () => {
  clock = Date.parse('2026-01-01T00:00:00Z');
  await database.db.$client.query('delete from sign_in_failure');
});

const attempt = (more: Partial<Tried> = {}): Tried => ({
  what: 'password',
  workspaceId: 'default',
  account: 'ada',
  address: '192.0.2.1',
  browserId: undefined,
  ...more,
});
const fail = async (times: number, more: Partial<Tried> = {}, throttle = here) => {
  for (let i = 0; i < times; i += 1) await throttle.begin(attempt(more));
};
/** From a network of its own each. */
const failFromAfar = async (times: number) => {
  for (let i = 0; i < times; i += 1)
    await here.begin(attempt({ address: `198.51.${i % 250}.${1 + Math.floor(i / 250)}` }));
};
const waits = async (more: Partial<Tried> = {}, throttle = here) => (await throttle.begin(attempt(more))).waitMs;

test('the wait begins after the free tries, doubles, ends at its cap, and is forgotten after a day', () => {
  const gate = { key: 'k', free: 5, capMs: 60_000 };
  const at = new Date(0);
  const wait = (count: number, now: number) => waitOf({ count, lastAt: at }, gate, new Date(now));
  expect([4, 5, 6, 8, 11, 12, 500].map((count) => wait(count, 0))).toEqual([
    0, 1_000, 2_000, 8_000, 60_000, 60_000, 60_000,
  ]);
  expect(wait(8, 7_999)).toBe(1);
  expect(wait(8, 8_000)).toBe(0);
  expect(wait(500, 24 * 3_600_000)).toBe(0);
});

describe('guessing at one account', () => {
  test('is slowed down after five tries, on every replica', async () => {
    await fail(5);
    expect(await waits({}, there)).toBe(1_000);
    clock += 1_000;
    expect(await waits({}, there)).toBe(0);
    expect(await waits()).toBe(2_000);
  });

  test('is not let through by asking many times at once', async () => {
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => waits({}, i % 2 ? here : there)));
    expect(all.filter((wait) => wait === 0)).toHaveLength(5);
  });

  test('is not made longer by tries that were refused', async () => {
    await fail(60);
    expect(await waits()).toBe(1_000);
  });

  test('from many networks is slowed down too', async () => {
    await failFromAfar(20);
    expect(await waits({ address: '203.0.113.9' })).toBeGreaterThan(0);
  });

  test('with codes is counted apart from passwords', async () => {
    await fail(6);
    expect(await waits({ what: 'code' })).toBe(0);
    await fail(5, { what: 'code' });
    expect(await waits({ what: 'code' })).toBeGreaterThan(0);
  });
});

test('guessing at many accounts from one network is slowed down, and from an IPv6 network of 64 bits alike', async () => {
  for (let i = 0; i < 50; i += 1) expect(await waits({ account: `p${i}`, address: `2001:db8::${i + 1}` })).toBe(0);
  expect(await waits({ account: 'another', address: '2001:db8::ffff' })).toBeGreaterThan(0);
  expect(await waits({ account: 'another', address: '2001:db8:0:1::1' })).toBe(0);
});

test('a network that many share is never shut for longer than some seconds', async () => {
  for (let i = 0; i < 200; i += 1) {
    clock += 10_000;
    await waits({ account: `p${i}` });
  }
  expect(await waits({ account: 'somebody' })).toBe(10_000);
});

describe('the rightful person', () => {
  test('gets in from a browser that knows them, whatever others fail at', async () => {
    await failFromAfar(40);
    await fail(60);
    expect(await waits()).toBeGreaterThan(0);
    expect(await waits({ browserId: 'their-own' })).toBe(0);
  });

  test('gets in from a network they have signed in from, while the account is guessed at from elsewhere', async () => {
    await here.remember({ workspaceId: 'default', userId: 'ada' }, '192.0.2.1');
    await failFromAfar(40);
    expect(await waits()).toBe(0);
    expect(await waits({ address: '203.0.113.9' })).toBeGreaterThan(0);
  });

  test('begins anew after a success, but the network does not', async () => {
    await fail(4);
    const { succeeded } = await here.begin(attempt());
    await succeeded();
    await fail(4);
    expect(await waits()).toBe(0);
    const { rows } = await database.db.$client.query('select count from sign_in_failure order by count');
    expect(rows.map(({ count }) => count)).toEqual([5, 9, 9]);
  });

  test('may not try without end either', async () => {
    await fail(10, { browserId: 'their-own' });
    expect(await waits({ browserId: 'their-own' })).toBe(1_000);
  });
});

test('what is long over is cleared away, and networks that somebody got in from are kept longer', async () => {
  await here.remember({ workspaceId: 'default', userId: 'ada' }, '192.0.2.1');
  await fail(3);
  const { sweep } = postgresFailures(database.db);
  await sweep(new Date(clock + 1));
  const { rows } = await database.db.$client.query('select key from sign_in_failure');
  expect(rows).toHaveLength(1);
  await sweep(new Date(clock + 91 * 86_400_000));
  expect((await database.db.$client.query('select key from sign_in_failure')).rows).toEqual([]);
});
