import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
});
afterAll(() => database.drop());
beforeEach(() => {
  for (const list of [admin.seen.changes, admin.seen.published]) list.length = 0;
});
afterEach(() =>
  database.db.$client.query(
    `delete from "user"; delete from token; delete from server; delete from setup_link;
     update workspace set proxy_key = null, proxy_created_at = null`,
  ),
);

const complete = (secret: string, more: object = {}) => admin.rest('POST', '/setup', { body: { secret, ...more } });

describe('a set-up link', () => {
  test('makes the owner, whose token works', async () => {
    const secret = await admin.setupSecret();
    expect(secret).toMatch(/^petasetup_[A-Za-z0-9_-]{43}$/);
    const { json } = await complete(secret, { name: 'Olivia', userId: 'olivia' });
    expect(json.user).toMatchObject({ userId: 'olivia', name: 'Olivia', role: 1, status: 1 });
    const me = await admin.rest('GET', '/me', { token: String(json.secret) });
    expect(me.json.user).toMatchObject({ userId: 'olivia' });
    const text = JSON.stringify(admin.seen.changes);
    expect(admin.seen.changes).toMatchObject([{ operation: 'setup.complete', outcome: 'done', caller: null }]);
    for (const one of [secret, String(json.secret)]) expect(text).not.toContain(one);
  });

  test('gives an owner who is there their access back, and makes no second one', async () => {
    await admin.addPerson('owner', 1);
    const { json } = await complete(await admin.setupSecret(), { userId: 'usurper', name: 'Usurper' });
    expect(json.user).toMatchObject({ userId: 'owner', name: 'owner' });
    const { rows } = await database.db.$client.query('select id from "user"');
    expect(rows).toEqual([{ id: 'owner' }]);
  });

  test('may set the password to sign in with, which is in no log', async () => {
    const secret = await admin.setupSecret();
    expect((await complete(secret, { userId: 'olivia', password: 'short' })).json).toMatchObject({
      code: 'INVALID_REQUEST',
      message: 'password: Too short.',
    });
    expect((await complete(secret, { userId: 'olivia', password: 'orbit lantern 42' })).status).toBe(200);
    const { rows } = await database.db.$client.query('select user_id, hash from password');
    expect(rows).toEqual([{ user_id: 'olivia', hash: 'hash of 16 characters' }]);
    expect(JSON.stringify(admin.seen.changes)).not.toContain('orbit lantern');
  });

  test('with a new password signs the owner out of every browser, and without one leaves everything as it is', async () => {
    await admin.addPerson('owner', 1);
    const browser = admin.signedIn('owner');
    await complete(await admin.setupSecret());
    expect(admin.seen.signIns).toEqual([browser]);
    await complete(await admin.setupSecret(), { password: 'orbit lantern 42' });
    expect(admin.seen.signIns).toEqual([]);
    const { rows } = await database.db.$client.query('select id from token');
    expect(rows).toHaveLength(3);
  });

  test('works once, whoever comes first of many at the same time', async () => {
    const secret = await admin.setupSecret();
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => complete(secret, { userId: `owner-${i}` })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(403)]);
    expect(answers.find(({ status }) => status === 403)?.json.code).toBe('SETUP_LINK_INVALID');
    const { rows } = await database.db.$client.query('select role from "user"');
    expect(rows).toEqual([{ role: 1 }]);
  });

  test('ends when a newer one is made, and after a day', async () => {
    const [first, second] = [await admin.setupSecret(), await admin.setupSecret()];
    expect((await complete(first)).status).toBe(403);
    await database.db.$client.query("update setup_link set expires_at = now() - interval '1 second'");
    expect((await complete(second)).status).toBe(403);
    const { rows } = await database.db.$client.query('select * from "user"');
    expect(rows).toEqual([]);
  });

  test('is not used up by a try that fails', async () => {
    await admin.addPerson('owner', 3);
    const secret = await admin.setupSecret();
    expect((await complete(secret)).json.code).toBe('USER_EXISTS');
    expect((await complete(secret, { name: '' })).json.code).toBe('INVALID_REQUEST');
    expect((await complete(secret, { userId: 'boss' })).status).toBe(200);
  });

  test('is one at a time, even when many are made at the same time', async () => {
    await Promise.all(Array.from({ length: 8 }, () => admin.setupSecret()));
    const { rows } = await database.db.$client.query('select hash from setup_link');
    expect(rows).toHaveLength(1);
  });

  test('that the owner makes is kept as a hash and is in no log', async () => {
    const { token } = await admin.addPerson('owner', 1);
    const { json } = await admin.rest('POST', '/setup-links', { token, body: {} });
    const link = String(json.setupLink);
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:3002\/setup#petasetup_/);
    expect(Date.parse(String(json.expiresAt)) - Date.now()).toBeGreaterThan(23 * 3_600_000);
    const { rows } = await database.db.$client.query('select * from setup_link');
    const secret = link.split('#')[1] ?? '';
    expect(JSON.stringify([rows, admin.seen.changes])).not.toContain(secret);
    expect((await complete(secret)).status).toBe(200);
  });

  test('cannot be guessed at without end into the log', async () => {
    for (let i = 0; i < 80; i += 1) expect((await complete(`petasetup_${i}`)).status).toBe(403);
    expect(admin.seen.changes.length).toBeGreaterThan(0);
    expect(admin.seen.changes.length).toBeLessThanOrEqual(60);
  });
});

describe('the gateway', () => {
  test('is named once, shows its key to administrators alone, and forgets it with everybody below the owner', async () => {
    const { token } = await admin.addPerson('owner', 1);
    const user = await admin.addPerson('user', 3);
    const named = await admin.rest('POST', '/proxy', { token, body: { name: 'Main', proxyKey: 'the-key' } });
    const { id } = named.json.proxy as { id: number };
    expect(named.json.proxy).toMatchObject({ name: 'Main', proxyKey: 'the-key', startPort: 3002 });
    expect((await admin.rest('POST', '/proxy', { token, body: { name: 'x', proxyKey: 'y' } })).json.code).toBe(
      'PROXY_EXISTS',
    );
    for (const asker of [undefined, user.token])
      expect((await admin.rest('GET', '/proxy', { token: asker })).json.proxy).toMatchObject({ proxyKey: null });
    expect((await admin.rest('PATCH', '/proxy/99999', { token, body: { name: 'x' } })).json.code).toBe(
      'PROXY_NOT_FOUND',
    );
    expect((await admin.rest('DELETE', '/proxy/99999', { token })).json.code).toBe('PROXY_NOT_FOUND');
    expect((await admin.rest('GET', '/users/count', { token })).json).toEqual({ count: 2 });
    expect((await admin.rest('DELETE', `/proxy/${id}`, { token })).status).toBe(200);
    expect((await admin.rest('GET', '/proxy', {})).json).toEqual({ proxy: null });
    expect((await admin.rest('GET', '/users/count', { token })).json).toEqual({ count: 1 });
    expect(JSON.stringify(admin.seen.changes)).not.toContain('the-key');
  });

  test('stops when the owner says so, after the answer', async () => {
    const { token } = await admin.addPerson('owner', 1);
    expect((await admin.rest('POST', '/proxy/stop', { token, body: {} })).json.message).toContain('shutting down');
    expect(admin.seen.shutdowns).toBe(1);
    expect(admin.seen.changes).toMatchObject([{ operation: 'proxy.stop', outcome: 'done' }]);
  });
});
