import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { createSealer } from '../path/vault/seal.ts';
import { createAuthenticators } from './authenticators.ts';
import { createHasher } from './io/argon.ts';
import { postgresAuthenticators } from './io/postgres-authenticators.ts';
import { postgresFailures } from './io/postgres-failures.ts';
import { postgresPeople } from './io/postgres-people.ts';
import { totp } from './io/totp.ts';
import { createLocal, type Local } from './local.ts';
import { createThrottle } from './throttle.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let local: Local;
const now = () => new Date();
const hasher = createHasher();
const verify = vi.fn(hasher.verify);
const from = { address: '192.0.2.1', browserIdOf: () => undefined };
const RIGHT = 'orbit lantern 42 pebble';

beforeAll(async () => {
  database = await createTestDatabase();
  const { db } = database;
  const people = postgresPeople(db);
  const authenticators = createAuthenticators({
    store: postgresAuthenticators(db, createSealer(Buffer.alloc(32, 7))),
    totp,
    now,
  });
  const throttle = createThrottle(postgresFailures(db), now);
  local = createLocal({ people, passwords: { ...hasher, verify }, authenticators, throttle, now });
  await db.$client.query(`insert into "user" (workspace_id, id, name, role, email, kind, status, expires_at) values
    ('default', 'ada', 'Ada', 3, 'ada@example.com', 'person', 1, null),
    ('default', 'gone', 'Gone', 3, null, 'person', 0, null),
    ('default', 'over', 'Over', 3, null, 'person', 1, '2020-01-01'),
    ('default', 'robot', 'Robot', 3, null, 'agent', 1, null),
    ('default', 'bare', 'Bare', 3, null, 'person', 1, null)`);
  const hash = await hasher.hash(RIGHT);
  for (const userId of ['ada', 'gone', 'over', 'robot'])
    await people.setPassword({ workspaceId: 'default', userId }, hash, now());
});
afterAll(() => database.drop());
beforeEach(async () => {
  verify.mockClear();
  await database.db.$client.query('delete from sign_in_failure');
});

const tryAs = async (name: string, password = RIGHT, workspace = 'default') =>
  (await local.tryPassword(workspace, name, password, from)).kind;

describe('a password', () => {
  test('lets its person in, by id or by e-mail address in any case', async () => {
    expect(await tryAs('ada')).toBe('in');
    expect(await tryAs('Ada@Example.COM')).toBe('in');
    expect(await tryAs('ada', RIGHT, 'elsewhere')).toBe('wrong');
  });

  test('is kept as argon2id with the cost that is advised', async () => {
    const { rows } = await database.db.$client.query('select hash from password');
    expect(rows[0].hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  test.each(['nobody', 'bare', 'gone', 'over', 'robot', 'ada@example.org', "' or 1=1 --"])(
    'of %s is answered as a wrong one, after the same work',
    async (name) => {
      expect(await tryAs(name)).toBe('wrong');
      expect(verify).toHaveBeenCalledTimes(1);
    },
  );

  test('takes about as long to refuse for nobody as for somebody', async () => {
    const time = async (name: string) => {
      const began = performance.now();
      for (let i = 0; i < 4; i += 1)
        await local.tryPassword('default', name, `wrong ${i}`, { ...from, address: `10.0.${i}.1` });
      return performance.now() - began;
    };
    await time('warm-up');
    const [somebody, nobody] = [await time('ada'), await time('no-such-person')];
    expect(nobody).toBeGreaterThan(somebody / 3);
    expect(nobody).toBeLessThan(somebody * 3);
  });

  test('is not even looked at while it must wait, and the wait is told in seconds', async () => {
    for (let i = 0; i < 5; i += 1) await tryAs('ada', 'wrong');
    verify.mockClear();
    expect(await local.tryPassword('default', 'ada', RIGHT, from)).toMatchObject({ kind: 'wait', seconds: 1 });
    expect(verify).not.toHaveBeenCalled();
    for (let i = 0; i < 5; i += 1) await tryAs('nobody', 'wrong');
    expect(await local.tryPassword('default', 'nobody', RIGHT, from)).toMatchObject({ kind: 'wait', seconds: 1 });
  });
});

test('many at once are hashed in turn, and beyond a bound told to come again', async () => {
  const busy = createHasher();
  const all = await Promise.allSettled(Array.from({ length: 60 }, () => busy.verify(null, 'x')));
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(42);
  const refused = all.find((one) => one.status === 'rejected');
  expect(String(refused?.reason)).toMatch(/Too many people sign in/);
});
