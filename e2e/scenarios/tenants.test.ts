/** Two workspaces of one Peta, on two replicas: as everybody of the one, everything is tried to see the other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@peta/api';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { textOf } from '../harness/clients.ts';
import {
  type Answer,
  act,
  actionNumbers,
  gather,
  ghostOf,
  idsOf,
  inputFor,
  isMaking,
  type Named,
  operations,
  perform,
  type Values,
} from '../harness/operations.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool } from '../harness/raw.ts';
import { createTenant, ROLES, type Role, snapshot, type Tenant } from '../harness/tenants.ts';

const SECRET = 'one secret for every replica, at least';
const MARKS = ['agiraffe', 'bzebra'] as const;
let one: RunningPeta;
let other: RunningPeta;
let a: Tenant;
let b: Tenant;
let own: Values;
let theirs: Values;
let ghost: Values;
/** How all that is B's is to stay. */
let before: string;

beforeAll(async () => {
  one = await startPeta({ env: { JWT_SECRET: SECRET } });
  await becomeOwner(one);
  [a, b] = [await createTenant(one, MARKS[0]), await createTenant(one, MARKS[1])];
  const [, , , port] = readFileSync(join(one.home, 'postgres/postmaster.pid'), 'utf8').split('\n');
  const password = readFileSync(join(one.home, 'postgres.password'), 'utf8').trim();
  const DATABASE_URL = `postgresql://peta:${password}@127.0.0.1:${port}/postgres`;
  other = await startPeta({ env: { JWT_SECRET: SECRET, DATABASE_URL } });
  own = await gather(one.url, a.tokens.owner, a.mark);
  theirs = await gather(one.url, b.tokens.owner, b.mark);
  ghost = new Map([...theirs].map(([field, value]) => [field, ghostOf(value)]));
  before = await snapshot(b);
}, 120_000);
afterAll(cleanUp);
afterEach(async () => expect(await snapshot(b)).toBe(before));

/** What would take from A what the walk needs, or is nobody's but the holder's of a link. */
const SWEEPING = new Set(['users.removeAll', 'servers.removeAll']);
const SWEEPING_ACTIONS = new Set([1014, 2014]);

/** An answer without what was asked, and what is another each time. */
const plain = ({ status, text }: Answer, asked: Values): string => {
  let rest = text;
  for (const value of asked.values())
    if (typeof value === 'string' && value.length > 5) rest = rest.replaceAll(value, '#');
  return `${status} ${rest
    .replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"time"')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}/g, 'uuid')
    .replace(/(peta(setup|client)?|client)_[A-Za-z0-9_-]+…?/g, 'secret')
    .replace(/"(status|statusReason|createdAt|updatedAt)":("[^"]*"|\d+|null)/g, '"$1"')}`;
};

/** Everything that an operation may be asked about: all of it another's, or one thing with the rest one's own. */
const choicesFor = (named: Named): ((field: string) => 'other' | 'own')[] => {
  const ids = idsOf(named);
  const single =
    ids.length > 1
      ? ids.map(
          (chosen) =>
            (field: string): 'other' | 'own' =>
              field === chosen ? 'other' : 'own',
        )
      : [];
  return [() => 'other', ...single];
};

const token = (role: Role) => a.tokens[role];
/** What of B is in it, with what stands around it. */
const leakIn = (text: string): string | undefined => new RegExp(`.{0,60}${b.mark}.{0,60}`).exec(text)?.[0];

describe.each(ROLES)('the %s of A', (role) => {
  test('sees nothing of B in any list, with any filter, nor in any answer at all', async () => {
    for (const replica of [one, other])
      for (const named of operations) {
        if (SWEEPING.has(named.name) || named.operation.path.includes(':')) continue;
        if (idsOf(named).length > 0 && named.operation.method !== 'GET') continue;
        const answer = await perform(
          replica.url,
          token(role),
          named,
          inputFor(named, () => own),
        );
        const bare = await perform(replica.url, token(role), named, {});
        for (const { status, text } of [answer, bare])
          expect([named.name, status < 500, leakIn(text)]).toEqual([named.name, true, undefined]);
      }
  });

  test('sees of how Peta is only how A is', async () => {
    const headers = { authorization: `Bearer ${token(role)}` };
    expect(leakIn(await (await fetch(`${one.url}/health`, { headers })).text())).toBeUndefined();
  });
});

/** Asks each operation about what is B's and about what nobody has; the answers must be one. Returns how many it asked. */
const compare = async (role: Role, asked: readonly Named[]): Promise<number> => {
  let tried = 0;
  for (const named of asked)
    for (const choose of choicesFor(named)) {
      const ask = async (values: Values) => {
        const input = inputFor(named, (field) => (choose(field) === 'own' ? own : values));
        return plain(await perform(one.url, token(role), named, input), values);
      };
      const [ofTheirs, ofGhost] = [await ask(theirs), await ask(ghost)];
      expect([named.name, ofTheirs]).toEqual([named.name, ofGhost]);
      expect([named.name, leakIn(ofTheirs)]).toEqual([named.name, undefined]);
      tried += 1;
    }
  return tried;
};

// From here on A's own log holds what A asked for by B's ids.
describe.each(ROLES)('the %s of A, by ids of B,', (role) => {
  test('is told of what is B’s what is told of what does not exist', async () => {
    const asking = operations.filter((named) => !isMaking(named) && !SWEEPING.has(named.name));
    expect(await compare(role, asking)).toBeGreaterThan(45);
  });

  test('finds nothing of B by any published action', async () => {
    expect(actionNumbers.length).toBeGreaterThan(30);
    for (const number of actionNumbers) {
      if (SWEEPING_ACTIONS.has(number)) continue;
      const ask = async (values: Values) => {
        const isOfServers = number >= 2000 && number !== 3003;
        const targetId = values.get(isOfServers ? 'serverId' : 'userId');
        const [userId, serverId, proxyId] = ['userId', 'serverId', 'proxyId'].map((field) => values.get(field));
        const data = { targetId, ...(isOfServers ? { serverId } : { userId }), proxyId, name: 'x', permissions: {} };
        return plain(await act(one.url, token(role), number, data), values);
      };
      const [ofTheirs, ofGhost] = [await ask(theirs), await ask(ghost)];
      expect([number, ofTheirs]).toEqual([number, ofGhost]);
      expect([number, leakIn(ofTheirs)]).toEqual([number, undefined]);
    }
  });
});

test('servers of the same id with tools of the same names each answer for their own workspace, on every replica', async () => {
  for (let round = 0; round < 3; round += 1)
    for (const { mcpUrl } of [one, other])
      for (const tenant of [a, b]) {
        const { json } = await callTool(mcpUrl, tenant.tokens.user, 'shared__tell', {});
        expect(textOf((json as { result: unknown }).result)).toBe(tenant.mark);
      }
  // The calls are in B's log now, as they should be.
  await until('both replicas have written them down', async () => {
    const { records } = await b.api.audit.list({ kind: 'call', operation: 'tools/call', outcome: 'done' });
    return records.filter(({ name }) => name === 'tell').length === 6;
  });
  before = await snapshot(b);
});

test.each(ROLES)('the %s of A makes things under ids that B has as under any other', async (role) => {
  expect(await compare(role, operations.filter(isMaking))).toBeGreaterThan(5);
});

test('what A sweeps away was A’s', async () => {
  const made = await a.api.servers.list({});
  expect(made.servers.map(({ serverId }) => serverId)).toContain('shared');
  await a.api.servers.removeAll({});
  await a.api.users.removeAll({});
  expect((await a.api.users.list({})).users).toHaveLength(1);
  expect((await b.api.users.list({})).users).toHaveLength(4);
  await expect(a.api.proxy.stop({})).rejects.toThrow('There is nothing at this address.');
  expect((await createClient(one.url, { token: b.tokens.user }).me.get({})).user.userId).toBe(`user-${b.mark}`);
});
