import { TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { createSealer } from '../path/vault/seal.ts';
import { type Authenticators, createAuthenticators } from './authenticators.ts';
import { postgresAuthenticators } from './io/postgres-authenticators.ts';
import { totp } from './io/totp.ts';

const ada = { workspaceId: 'default', userId: 'ada' };
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let authenticators: Authenticators;
let clock: number;

beforeAll(async () => {
  database = await createTestDatabase();
  const store = postgresAuthenticators(database.db, createSealer(Buffer.alloc(32, 7)));
  authenticators = createAuthenticators({ store, totp, now: () => new Date(clock) });
});
afterAll(() => database.drop());
beforeEach(async () => {
  clock = Date.parse('2026-01-01T00:00:10Z');
  await database.db.$client.query(
    `delete from "user"; insert into "user" (workspace_id, id, name, role) values ('default', 'ada', 'Ada', 3)`,
  );
});

const codeAt = (secret: string, at = clock) => new TOTP({ secret }).generate({ timestamp: at });
const setUp = async () => {
  await authenticators.begin(ada);
  const { secret = '', uri = '' } = (await authenticators.pending(ada, 'localhost:3002')) ?? {};
  const recovery = await authenticators.confirm(ada, codeAt(secret));
  clock += 60_000;
  return { secret, uri, recovery: recovery ?? [] };
};

describe('an authenticator app', () => {
  test('counts once a first code has shown that it has the secret, which is sealed', async () => {
    await authenticators.begin(ada);
    const { secret = '', uri, picture } = (await authenticators.pending(ada, 'localhost:3002')) ?? {};
    expect(uri).toMatch(/^otpauth:\/\/totp\/Peta.*:ada\?issuer=Peta.*secret=[A-Z2-7]{32}/);
    expect(picture).toMatch(/^<svg /);
    expect(picture).not.toContain('style=');
    expect(await authenticators.use(ada, codeAt(secret))).toBeUndefined();
    expect(await authenticators.confirm(ada, '000000')).toBeUndefined();
    expect(await authenticators.confirm(ada, codeAt(secret))).toHaveLength(10);
    const { rows } = await database.db.$client.query('select * from authenticator');
    expect(JSON.stringify(rows)).not.toContain(secret);
    clock += 30_000;
    expect(await authenticators.use(ada, codeAt(secret))).toBe('totp');
  });

  test('in use is not replaced by setting up another', async () => {
    const { secret } = await setUp();
    expect(await authenticators.begin(ada)).toBe(false);
    expect(await authenticators.pending(ada, 'x')).toBeUndefined();
    expect(await authenticators.use(ada, codeAt(secret))).toBe('totp');
  });

  test('has codes that are good one step early and one late, and no more', async () => {
    const { secret } = await setUp();
    expect(await authenticators.use(ada, codeAt(secret, clock - 60_000))).toBeUndefined();
    expect(await authenticators.use(ada, codeAt(secret, clock + 60_000))).toBeUndefined();
    expect(await authenticators.use(ada, codeAt(secret, clock - 30_000))).toBe('totp');
    expect(await authenticators.use(ada, codeAt(secret, clock + 30_000))).toBe('totp');
  });

  test('has codes that are good once, also for many at the same time, and none older after that', async () => {
    const { secret } = await setUp();
    const all = await Promise.all(Array.from({ length: 10 }, () => authenticators.use(ada, codeAt(secret))));
    expect(all.filter(Boolean)).toEqual(['totp']);
    expect(await authenticators.use(ada, codeAt(secret, clock - 30_000))).toBeUndefined();
  });

  test('was shown with a code that is used up by that', async () => {
    await authenticators.begin(ada);
    const { secret = '' } = (await authenticators.pending(ada, 'x')) ?? {};
    const code = codeAt(secret);
    await authenticators.confirm(ada, code);
    expect(await authenticators.use(ada, code)).toBeUndefined();
  });
});

describe('recovery codes', () => {
  test('are ten, each good once, with or without dashes, and kept as hashes', async () => {
    const { recovery } = await setUp();
    const [first = '', second = ''] = recovery;
    expect(new Set(recovery).size).toBe(10);
    expect(first).toMatch(/^([a-z2-9]{4}-){3}[a-z2-9]{4}$/);
    const { rows } = await database.db.$client.query('select * from authenticator');
    for (const code of recovery) expect(JSON.stringify(rows)).not.toContain(code);
    const all = await Promise.all(Array.from({ length: 5 }, () => authenticators.use(ada, first)));
    expect(all.filter(Boolean)).toEqual(['recovery']);
    expect(await authenticators.use(ada, second.toUpperCase().replaceAll('-', ' '))).toBe('recovery');
    expect((await authenticators.find(ada))?.recoveryLeft).toBe(8);
  });

  test('end when new ones are made', async () => {
    const { recovery } = await setUp();
    const [renewed = ''] = await authenticators.renewRecovery(ada);
    expect(await authenticators.use(ada, recovery[3] ?? '')).toBeUndefined();
    expect(await authenticators.use(ada, renewed)).toBe('recovery');
  });

  test('end with the app', async () => {
    const { recovery } = await setUp();
    expect(await authenticators.remove(ada)).toBe(true);
    expect(await authenticators.use(ada, recovery[0] ?? '')).toBeUndefined();
  });
});
