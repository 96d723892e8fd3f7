import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Arrival } from '#call';
import { schema } from '#db';
import { hashToken, newToken } from '#lib/token';
import { createTestDatabase } from '../../db/test-database.ts';
import { createIdentity } from './identity.ts';
import { postgresTokens } from './io/postgres-tokens.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const arrival = (bearer: string, endpoint = '/mcp'): Arrival => ({
  endpoint,
  bearer,
  address: '127.0.0.1',
  sessionId: undefined,
  client: undefined,
});

const create = () => ({
  identity: createIdentity({
    store: postgresTokens(database.db),
    endpoints: { isOpen: () => true, forAnybody: () => undefined },
    machineKeyHash: hashToken('the machine key'),
    now: Date.now,
    touched: () => {},
  }),
});

const issue = async (
  user: Partial<typeof schema.users.$inferInsert> = {},
  token: Partial<typeof schema.tokens.$inferInsert> = {},
) => {
  const { secret, hash, mask } = newToken();
  const userId = `user-${randomUUID()}`;
  await database.db.insert(schema.users).values({ workspaceId: 'default', name: userId, role: 3, ...user, id: userId });
  await database.db
    .insert(schema.tokens)
    .values({ id: randomUUID(), workspaceId: 'default', userId, name: 't', hash, mask, ...token });
  return { secret, userId };
};

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
