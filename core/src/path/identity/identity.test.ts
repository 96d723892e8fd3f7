import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Arrival } from '#call';
import { schema } from '#db';
import { silentLog } from '#lib/log';
import { hashToken, newToken } from '#lib/token';
import { createTestDatabase } from '../../db/test-database.ts';
import { createIdentity } from './identity.ts';
import { createLastUsed, postgresTokens } from './io/postgres-tokens.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const MACHINE_KEY = 'the machine key';
const NO_ENDPOINTS = { isOpen: () => true, forAnybody: () => undefined };
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
  return { secret, id, userId };
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
  expect(await create().identity.identify(arrival(other ?? secret))).toEqual({
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

describe('a role by name', () => {
  const add = (id: string, operations: string[]) =>
    database.db.insert(schema.roles).values({ workspaceId: 'default', id, name: id, operations });
  const who = async (user: Parameters<typeof issue>[0]) =>
    create().identity.identify(arrival((await issue(user)).secret));

  test('of the workspace adds its operations', async () => {
    await add('helper', ['servers.stop']);
    expect(await who({ roleId: 'helper' })).toMatchObject({ role: 3, operations: ['servers.stop'], isAuditor: false });
  });

  test('that is built in reads what administrators read', async () => {
    const auditor = await who({ roleId: 'auditor' });
    expect(auditor).toMatchObject({ role: 3, isAuditor: true });
    expect('operations' in auditor && auditor.operations).toEqual(expect.arrayContaining(['audit.list', 'users.get']));
  });

  test('that is not there, or whose holder is no plain person, adds nothing', async () => {
    await add('mighty', ['servers.removeAll']);
    const nothing = { operations: null, isAuditor: false };
    expect(await who({ roleId: 'gone' })).toMatchObject(nothing);
    expect(await who({ roleId: 'auditor', role: 2 })).toMatchObject({ ...nothing, role: 2 });
    const { userId: ownerUserId } = await issue();
    expect(await who({ roleId: 'mighty', kind: 'agent', ownerUserId, role: 2 })).toMatchObject({ ...nothing, role: 3 });
  });
});

describe('an agent', () => {
  const permissions = { s: { enabled: true } };

  test('of a person carries the person’s role and permissions', async () => {
    const owner = await issue({ role: 2, permissions });
    const { secret } = await issue({ kind: 'agent', ownerUserId: owner.userId });
    expect(await create().identity.identify(arrival(secret))).toMatchObject({
      role: 3,
      owner: { userId: owner.userId, role: 2, permissions },
    });
  });

  test.each([
    ['is disabled', 'update "user" set status = 0 where id = $1'],
    ['has come to an end', `update "user" set expires_at = now() - interval '1 second' where id = $1`],
    ['is gone', 'delete from "user" where id = $1'],
  ])('is out at once when its owner %s, also where it is let in already', async (_what, sql) => {
    const owner = await issue();
    const { secret } = await issue({ kind: 'agent', ownerUserId: owner.userId });
    const { identity } = create();
    const caller = await identity.identify(arrival(secret));
    if ('code' in caller) throw new Error(caller.reason);
    await database.db.$client.query(sql, [owner.userId]);
    identity.forget({ userId: owner.userId });
    expect(await identity.identify(arrival(secret))).toMatchObject({ code: 'unauthenticated' });
    expect(await identity.current(caller, '/mcp')).toMatchObject({ code: 'unauthenticated' });
  });

  test('of a team is in while the team is there; one of nobody is out', async () => {
    await database.db.insert(schema.teams).values({ workspaceId: 'default', id: 'crew', name: 'Crew' });
    const { secret } = await issue({ kind: 'agent', ownerTeamId: 'crew', permissions });
    const { secret: stray } = await issue({ kind: 'agent' });
    expect(await create().identity.identify(arrival(secret))).toMatchObject({ owner: null, permissions });
    expect(await create().identity.identify(arrival(stray))).toMatchObject({ code: 'unauthenticated' });
    await database.db.$client.query(`delete from team where id = 'crew'`);
    expect(await create().identity.identify(arrival(secret))).toMatchObject({ code: 'unauthenticated' });
  });

  test('ends with the first of its token, itself and its owner', async () => {
    const [first, second, third] = [1, 2, 3].map((hours) => new Date(Date.now() + hours * 3_600_000));
    const owner = await issue({ expiresAt: first });
    const { secret } = await issue(
      { kind: 'agent', ownerUserId: owner.userId, expiresAt: second ?? null },
      { expiresAt: third ?? null },
    );
    expect(await create().identity.identify(arrival(secret))).toMatchObject({ endsAt: first?.getTime() });
  });
});

test('a token for some operations comes to MCP only when it says so', async () => {
  const { secret } = await issue({}, { scope: { operations: ['users.list'] } });
  const both = await issue({}, { scope: { operations: ['users.list', 'mcp'] } });
  const { identity } = create();
  expect(await identity.identify(arrival(secret, '/api/v1'))).toMatchObject({ kind: 'user' });
  for (const endpoint of ['/mcp', '/mcp/public', '/mcp/e/x']) {
    expect(await identity.identify(arrival(secret, endpoint))).toMatchObject({ code: 'wrong-endpoint' });
    expect(await identity.identify(arrival(both.secret, endpoint))).toMatchObject({ kind: 'user' });
  }
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
