import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Arrival, EVERYWHERE } from '#call';
import { schema } from '#db';
import { silentLog } from '#lib/log';
import { hashToken, newToken } from '#lib/token';
import { createTestDatabase } from '../../db/test-database.ts';
import { createIdentity, type TokenRow } from './identity.ts';
import { createLastUsed, postgresTokens } from './io/postgres-tokens.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const MACHINE_KEY = 'the machine key';
const NO_ENDPOINTS = {
  isOpen: (_workspaceId: string, path: string) => !path.startsWith('/mcp/e/'),
  forAnybody: () => undefined,
};
const arrival = (bearer: string | undefined, endpoint = '/mcp'): Arrival => ({
  endpoint,
  bearer,
  address: '127.0.0.1',
  sessionId: undefined,
  client: undefined,
});

const create = (now = () => Date.now()) => {
  const stored = postgresTokens(database.db);
  let asked = 0;
  const used: string[] = [];
  const identity = createIdentity({
    store: {
      byBearer: (bearer, hash) => {
        asked += 1;
        return stored.byBearer(bearer, hash);
      },
      byId: stored.byId,
    },
    endpoints: NO_ENDPOINTS,
    machineKeyHash: hashToken(MACHINE_KEY),
    now,
    touched: (id) => used.push(id),
  });
  return { identity, used, asked: () => asked };
};

const issue = async (
  user: Partial<typeof schema.users.$inferInsert> = {},
  token: Partial<typeof schema.tokens.$inferInsert> = {},
) => {
  const { secret, hash, mask } = newToken();
  const userId = user.id ?? `user-${randomUUID()}`;
  const id = randomUUID();
  await database.db.insert(schema.users).values({ workspaceId: 'default', name: userId, role: 3, ...user, id: userId });
  await database.db
    .insert(schema.tokens)
    .values({ id, workspaceId: 'default', userId, name: 't', hash, mask, ...token });
  return { secret, hash, id, userId };
};

test('a token leads to its person, asked for once and remembered', async () => {
  const { secret, userId, id } = await issue({ permissions: { s: { enabled: true } } });
  const { identity, asked, used } = create();
  const seen = await Promise.all(Array.from({ length: 5 }, () => identity.identify(arrival(secret))));
  expect(seen[0]).toMatchObject({ kind: 'user', userId, role: 3, tokenId: id, permissions: { s: { enabled: true } } });
  expect(await identity.identify(arrival(secret))).toBe(seen[0]);
  expect(asked()).toBe(1);
  expect(used).toHaveLength(6);
});

test('the machine key acts as the owner', async () => {
  expect(await create().identity.identify(arrival(MACHINE_KEY))).toMatchObject({
    kind: 'machine',
    role: 1,
    userId: null,
  });
});

const past = new Date(Date.now() - 1000);
test.each([
  ['unknown', {}, {}, 'peta_nobody-has-this'],
  ['expired', {}, { expiresAt: past }, undefined],
  ['revoked', {}, { revokedAt: past }, undefined],
  ['of a disabled person', { status: 0 }, {}, undefined],
  ['of a suspended person', { status: 3 }, {}, undefined],
  ['of a person whose time is over', { expiresAt: past }, {}, undefined],
])('a token that is %s is refused in the same words', async (_what, user, token, other) => {
  const { secret } = await issue(user, token);
  expect(await create().identity.identify(arrival(other ?? secret))).toMatchObject({
    kind: 'refused',
    code: 'unauthenticated',
    reason: 'The token is not valid: it may be mistyped, expired or revoked. Ask for a new one.',
  });
});

test('no token is refused, and never becomes anybody', async () => {
  expect(await create().identity.identify(arrival(undefined))).toMatchObject({ code: 'unauthenticated' });
});

test('a remembered token ends at its hour', async () => {
  let time = Date.now();
  const { secret } = await issue({}, { expiresAt: new Date(time + 5000) });
  const { identity } = create(() => time);
  expect(await identity.identify(arrival(secret))).toMatchObject({ kind: 'user' });
  time += 6000;
  expect(await identity.identify(arrival(secret))).toMatchObject({ code: 'unauthenticated' });
});

test('a token for one endpoint is refused at another', async () => {
  const { secret } = await issue({}, { scope: { endpoints: ['/mcp'] } });
  const { identity } = create();
  expect(await identity.identify(arrival(secret))).toMatchObject({ kind: 'user' });
  expect(await identity.identify(arrival(secret, '/api/v1'))).toMatchObject({ code: 'wrong-endpoint' });
});

test('whoever has the first half of the hash of another token registered does not get in its way', async () => {
  const { secret, userId, hash } = await issue();
  await issue({}, { hash: hash.slice(0, 32) });
  expect(await create().identity.identify(arrival(secret))).toMatchObject({ userId });
});

test('an endpoint is looked for in the workspace of the token, and without a valid one not at all', async () => {
  const { secret, id } = await issue();
  const { identity } = create();
  expect(await identity.identify(arrival(secret, '/mcp/e/elsewhere'))).toMatchObject({
    code: 'unknown-endpoint',
    reason: expect.stringContaining('/mcp/e/elsewhere'),
    workspaceId: 'default',
  });
  for (const bearer of [undefined, 'peta_wrong'])
    expect(await identity.identify(arrival(bearer, '/mcp/e/elsewhere'))).toMatchObject({ code: 'unauthenticated' });
  await database.db.$client.query('update token set revoked_at = now() where id = $1', [id]);
  identity.forget({ workspaceId: 'default' });
  expect(await identity.identify(arrival(secret))).toMatchObject({ code: 'unauthenticated', workspaceId: 'default' });
});

test('a token known by the first half of its hash works', async () => {
  const { secret, hash } = newToken();
  await issue({ id: hash.slice(0, 32) }, { hash: hash.slice(0, 32) });
  expect(await create().identity.identify(arrival(secret))).toMatchObject({ userId: hash.slice(0, 32) });
});

test('what changed is seen after it is forgotten, and a caller let in earlier is looked at again', async () => {
  const { secret, userId, id } = await issue();
  const { identity } = create();
  const caller = await identity.identify(arrival(secret));
  if ('code' in caller) throw new Error(caller.reason);
  expect(await identity.current(caller, '/mcp')).toBe(caller);
  await database.db.$client.query('update "user" set permissions = $1 where id = $2', [
    { s: { enabled: true } },
    userId,
  ]);
  expect(await identity.current(caller, '/mcp')).toMatchObject({ permissions: { s: { enabled: true } } });
  expect(await identity.identify(arrival(secret))).toBe(caller);
  identity.forget({ userId });
  expect(await identity.identify(arrival(secret))).toMatchObject({ permissions: { s: { enabled: true } } });
  await database.db.$client.query('update token set revoked_at = now() where id = $1', [id]);
  identity.forget({ tokenId: id });
  expect(await identity.identify(arrival(secret))).toMatchObject({ code: 'unauthenticated' });
  expect(await identity.current(caller, '/mcp')).toMatchObject({ code: 'unauthenticated' });
});

test('the last use of a token is written down', async () => {
  const { id } = await issue();
  const lastUsed = createLastUsed(database.db, { everyMs: 60_000, log: silentLog });
  lastUsed.touched(id);
  await lastUsed.close();
  const { rows } = await database.db.$client.query('select last_used_at from token where id = $1', [id]);
  expect(rows[0].last_used_at).toBeInstanceOf(Date);
});

test('a token that is revoked while it is looked up is not let in on what was read before', async () => {
  const { secret, id } = await issue();
  const stored = postgresTokens(database.db);
  let read = () => {};
  const hasRead = new Promise<void>((done) => {
    read = done;
  });
  let answer = () => {};
  const mayAnswer = new Promise<void>((done) => {
    answer = done;
  });
  let asked = 0;
  const identity = createIdentity({
    store: {
      async byBearer(bearer, hash) {
        asked += 1;
        const row = await stored.byBearer(bearer, hash);
        read();
        if (asked === 1) await mayAnswer;
        return row;
      },
      byId: stored.byId,
    },
    endpoints: NO_ENDPOINTS,
    machineKeyHash: hashToken(MACHINE_KEY),
    now: () => Date.now(),
    touched: () => {},
  });
  const early = identity.identify(arrival(secret));
  await hasRead;
  await database.db.$client.query('update token set revoked_at = now() where id = $1', [id]);
  identity.forget({ tokenId: id });
  const late = identity.identify(arrival(secret));
  answer();
  expect(await early).toMatchObject({ code: 'unauthenticated' });
  expect(await late).toMatchObject({ code: 'unauthenticated' });
});

test('whoever is found to be in no more is forgotten at the door too, before word of it has come', async () => {
  const { secret, id } = await issue();
  const { identity } = create();
  const caller = await identity.identify(arrival(secret));
  if ('code' in caller) throw new Error(caller.reason);
  await database.db.$client.query('update token set revoked_at = now() where id = $1', [id]);
  expect(await identity.identify(arrival(secret))).toEqual(caller);
  expect(await identity.current(caller, '/mcp')).toMatchObject({ code: 'unauthenticated' });
  expect(await identity.identify(arrival(secret))).toMatchObject({ code: 'unauthenticated' });
});

test('a remembered token goes on working while the database is away, and another is a fault, not a refusal', async () => {
  const known = await issue();
  const other = await issue();
  const gone = await createTestDatabase();
  const { identity: atHome } = create();
  const caller = await atHome.identify(arrival(known.secret));
  await gone.drop();
  let isAway = false;
  const here = postgresTokens(database.db);
  const away = postgresTokens(gone.db);
  const identity = createIdentity({
    store: { byBearer: (bearer, hash) => (isAway ? away : here).byBearer(bearer, hash), byId: here.byId },
    endpoints: NO_ENDPOINTS,
    machineKeyHash: hashToken(MACHINE_KEY),
    now: () => Date.now(),
    touched: () => {},
  });
  expect(await identity.identify(arrival(known.secret))).toEqual(caller);
  isAway = true;
  expect(await identity.identify(arrival(known.secret))).toEqual(caller);
  await expect(identity.identify(arrival(other.secret))).rejects.toThrow();
  isAway = false;
  expect(await identity.identify(arrival(other.secret))).toMatchObject({ userId: other.userId });
});

test('an access token is none at another address, and is let in later with no more than it carried', async () => {
  const row: TokenRow = {
    ...{ tokenId: 'oauth_g', workspaceId: 'default', userId: 'ann', role: 3, status: 1 },
    ...{ expiresAt: null, revokedAt: null, userExpiresAt: null, permissions: {}, preferences: {} },
    ...{ kind: 'person', roleId: null, roleOperations: null, ownerUserId: null, owner: null, teamId: null },
    ...{ scope: { endpoints: ['/mcp'], kinds: ['tool'] }, audience: '/mcp' },
  };
  let today: TokenRow | undefined = { ...row, scope: {} };
  const identity = createIdentity({
    store: { byBearer: async () => row, byId: async () => today },
    endpoints: NO_ENDPOINTS,
    machineKeyHash: hashToken(MACHINE_KEY),
    now: Date.now,
    touched: () => {},
  });
  expect(await identity.identify(arrival('a.b.c', '/mcp/e/other'))).toMatchObject({ code: 'unauthenticated' });
  const caller = await identity.identify(arrival('a.b.c'));
  if ('code' in caller) throw new Error(caller.reason);
  expect(caller.scope).toEqual({ ...EVERYWHERE, endpoints: ['/mcp'], kinds: ['tool'] });
  expect(await identity.current(caller, '/mcp')).toBe(caller);
  today = { ...row, scope: { kinds: ['prompt'] } };
  expect(await identity.current(caller, '/mcp')).toMatchObject({ scope: { kinds: [] } });
  today = { ...row, scope: { endpoints: ['/mcp/e/other'] } };
  expect(await identity.current(caller, '/mcp')).toMatchObject({ code: 'wrong-endpoint' });
  today = undefined;
  expect(await identity.current(caller, '/mcp')).toMatchObject({ code: 'unauthenticated' });
});
