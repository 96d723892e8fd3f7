import { describe, expect, test } from 'vitest';
import {
  type Caller,
  type CapabilityKind,
  EVERYWHERE,
  type Permissions,
  type Scope,
  type ServerRecord,
  type Switches,
} from '#call';
import { allows, allowsServer, dangerLevel } from './layers.ts';

const KINDS: readonly CapabilityKind[] = ['tool', 'resource', 'prompt'];
const LIST = { tool: 'tools', resource: 'resources', prompt: 'prompts' } as const;
const CLIENT = 'claude';

const server = (over: Partial<ServerRecord> = {}): ServerRecord => ({
  workspaceId: 'w',
  serverId: 's',
  serverName: 'S',
  enabled: true,
  publicAccess: false,
  anonymousAccess: false,
  anonymousRateLimit: 10,
  lazyStartEnabled: true,
  environment: null,
  switches: { enabled: true },
  revision: 'r',
  ...over,
});
const caller = (over: Partial<Caller> = {}): Caller => ({
  workspaceId: 'w',
  kind: 'user',
  userId: 'ada',
  role: 3,
  tokenId: 't',
  scope: EVERYWHERE,
  operations: null,
  isAuditor: false,
  owner: null,
  endsAt: null,
  permissions: {},
  preferences: {},
  ...over,
});

type State = 'absent' | 'on' | 'off' | 'name off' | 'name on';
const STATES: readonly State[] = ['absent', 'on', 'off', 'name off', 'name on'];
const switches = (state: State, kind: CapabilityKind, name: string): Switches => ({
  enabled: state !== 'off',
  ...(state.startsWith('name') && { [LIST[kind]]: { [name]: { enabled: state === 'name on' } } }),
});
const permissions = (state: State, kind: CapabilityKind, name: string): Permissions =>
  state === 'absent' ? {} : { s: switches(state, kind, name) };
const letsThrough = (state: State) => state !== 'off' && state !== 'name off';

test('every combination of the layers decides as the conjunction of the three', () => {
  let seen = 0;
  for (const kind of KINDS)
    for (const byServer of STATES)
      for (const byAdministrator of STATES)
        for (const byPerson of STATES)
          for (const publicAccess of [true, false])
            for (const role of [1, 2, 3] as const) {
              const record = server({ publicAccess, switches: switches(byServer, kind, 'x') });
              const who = caller({
                role,
                permissions: permissions(byAdministrator, kind, 'x'),
                preferences: { [CLIENT]: permissions(byPerson, kind, 'x'), other: { s: { enabled: false } } },
              });
              const administrator =
                byAdministrator === 'absent' ? publicAccess || role === 1 : letsThrough(byAdministrator);
              const expected = letsThrough(byServer) && administrator && letsThrough(byPerson);
              expect(allows(record, who, CLIENT, kind, 'x').allowed).toBe(expected);
              seen += 1;
            }
  expect(seen).toBe(3 * 5 ** 3 * 6);
});

test('a refusal names the layer that said no', () => {
  const granted = { s: { enabled: true } };
  const layerOf = (record: ServerRecord, who: Caller) => {
    const verdict = allows(record, who, CLIENT, 'tool', 'x');
    return verdict.allowed ? undefined : verdict.layer;
  };
  expect(layerOf(server({ enabled: false }), caller({ permissions: granted }))).toBe('server');
  expect(layerOf(server(), caller())).toBe('administrator');
  expect(
    layerOf(server(), caller({ permissions: granted, preferences: { [CLIENT]: { s: { enabled: false } } } })),
  ).toBe('person');
  expect(layerOf(server(), caller({ permissions: granted, scope: { ...EVERYWHERE, servers: ['other'] } }))).toBe(
    'token',
  );
  expect(layerOf(server(), caller({ permissions: granted, scope: { ...EVERYWHERE, servers: ['s'] } }))).toBeUndefined();
  const owner = { userId: 'grace', role: 3 as const, permissions: {} };
  expect(layerOf(server(), caller({ permissions: granted, owner }))).toBe('owner');
  expect(
    layerOf(server(), caller({ permissions: granted, owner: { ...owner, permissions: granted } })),
  ).toBeUndefined();
});

const OPEN = { permissions: { s: { enabled: true } } };

test('an agent may use what both it and its owner may, and nothing else', () => {
  for (const kind of KINDS)
    for (const byAgent of STATES)
      for (const byOwner of STATES)
        for (const publicAccess of [true, false])
          for (const role of [1, 2, 3] as const) {
            const own = { permissions: permissions(byAgent, kind, 'x') };
            const owner = { userId: 'ada', role, permissions: permissions(byOwner, kind, 'x') };
            const record = server({ publicAccess });
            const alone = (who: Partial<Caller>) => allows(record, caller(who), CLIENT, kind, 'x').allowed;
            expect(alone({ ...own, owner })).toBe(alone(own) && alone(owner));
          }
});

describe('a token', () => {
  const may = (scope: Partial<Scope>, kind: CapabilityKind = 'tool', name = 'x', record = server()) =>
    allows(record, caller({ ...OPEN, scope: { ...EVERYWHERE, ...scope } }), CLIENT, kind, name).allowed;

  test('for some tools is for those by their whole name, and for no resource and no prompt', () => {
    const tools = ['s::x', 's::a::b', 'other::y'];
    expect(['x', 'a::b', 'y', 'a', ''].filter((name) => may({ tools }, 'tool', name))).toEqual(['x', 'a::b']);
    expect(may({ tools }, 'resource', 'x')).toBe(false);
    expect(may({ tools }, 'prompt', 'x')).toBe(false);
    expect(may({ tools: ['s'] })).toBe(false);
    expect(may({ tools: [] })).toBe(false);
  });

  test('for tools of one server does not show that there is another', () => {
    const who = caller({ ...OPEN, scope: { ...EVERYWHERE, tools: ['ss::x', 'other::y'] } });
    expect(allowsServer(server(), who, CLIENT)).toMatchObject({ allowed: false, layer: 'token' });
  });

  test('for some operations is for MCP only when it says so', () => {
    expect(may({ operations: ['users.list'] })).toBe(false);
    expect(may({ operations: ['users.list', 'mcp'] })).toBe(true);
  });

  test('for one environment is for its servers, and for those of none', () => {
    const inside = (environment: string | null) =>
      may({ environments: ['staging'] }, 'tool', 'x', server({ environment }));
    expect(['staging', 'production', null].map(inside)).toEqual([true, false, true]);
  });
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'the name %s is a name like any other',
  (name) => {
    const open = { s: { enabled: true, tools: {} } };
    expect(allows(server(), caller({ permissions: open }), CLIENT, 'tool', name).allowed).toBe(true);
    expect(allowsServer(server({ serverId: name }), caller(), name).allowed).toBe(false);
    const closed: Permissions = JSON.parse(
      `{"s":{"enabled":true,"tools":{${JSON.stringify(name)}:{"enabled":false}}}}`,
    );
    expect(allows(server(), caller({ permissions: closed }), CLIENT, 'tool', name).allowed).toBe(false);
  },
);

test('a layer may raise the danger of a tool and never lower it', () => {
  const level = (value: 0 | 1 | 2): Switches => ({
    enabled: true,
    tools: { x: { enabled: true, dangerLevel: value } },
  });
  for (const a of [0, 1, 2] as const)
    for (const b of [0, 1, 2] as const)
      for (const c of [0, 1, 2] as const)
        for (const d of [0, 1, 2] as const) {
          const owner = { userId: 'grace', role: 3 as const, permissions: { s: level(d) } };
          const who = caller({ permissions: { s: level(b) }, preferences: { [CLIENT]: { s: level(c) } }, owner });
          expect(dangerLevel(server({ switches: level(a) }), who, CLIENT, 'x')).toBe(Math.max(a, b, c, d));
        }
});

/** A small seeded generator: failures can be repeated. */
const createRandom = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * below);
  };
};

test('adding any restriction never makes anything visible', () => {
  const random = createRandom(42);
  const names = ['a', 'b', 'c'];
  const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T;
  const randomSwitches = (): Switches => ({
    enabled: random(4) > 0,
    tools: Object.fromEntries(names.filter(() => random(2)).map((name) => [name, { enabled: random(2) === 1 }])),
  });
  const randomPermissions = (): Permissions => (random(3) ? { s: randomSwitches() } : {});
  /** Turns one more thing off in a layer that already speaks of the server. */
  const restrict = (layer: Switches): Switches =>
    random(4)
      ? { ...layer, tools: { ...layer.tools, [pick(names)]: { enabled: false } } }
      : { ...layer, enabled: false };

  const randomList = (values: readonly string[]): string[] | null =>
    random(2) ? null : values.filter(() => random(3) > 0);
  const SCOPES: Record<keyof Scope, readonly string[]> = {
    servers: ['s', 'other'],
    endpoints: ['/mcp'],
    tools: ['s::a', 's::b', 's::c', 'other::a'],
    operations: ['mcp', 'users.list'],
    environments: ['staging', 'production'],
    kinds: ['tool', 'prompt'],
  };
  const randomScope = (): Scope =>
    Object.fromEntries(Object.entries(SCOPES).map(([kind, all]) => [kind, randomList(all)])) as Scope;
  /** Takes one more thing out of a scope, or begins to confine it. */
  const narrow = (scope: Scope): Scope => {
    const kind = pick(Object.keys(SCOPES) as (keyof Scope)[]);
    const held = scope[kind] ?? SCOPES[kind];
    return { ...scope, [kind]: held.filter((one) => one !== pick(held)) };
  };
  const randomOwner = () => ({ userId: 'grace', role: pick([1, 2, 3] as const), permissions: randomPermissions() });

  let hidden = 0;
  for (let round = 0; round < 40_000; round += 1) {
    const record = server({
      publicAccess: random(2) === 1,
      switches: randomSwitches(),
      environment: pick([null, 'staging', 'production']),
    });
    const who = caller({
      role: pick([1, 2, 3] as const),
      permissions: randomPermissions(),
      preferences: { [CLIENT]: randomPermissions() },
      scope: random(2) ? EVERYWHERE : randomScope(),
      owner: random(2) ? null : randomOwner(),
    });
    const preference = who.preferences[CLIENT]?.s ?? { enabled: true };
    const owner = who.owner ?? randomOwner();
    const restricted: [ServerRecord, Caller] = pick([
      (): [ServerRecord, Caller] => [{ ...record, switches: restrict(record.switches) }, who],
      (): [ServerRecord, Caller] => [{ ...record, enabled: false }, who],
      (): [ServerRecord, Caller] => [
        record,
        who.permissions.s ? { ...who, permissions: { s: restrict(who.permissions.s) } } : who,
      ],
      (): [ServerRecord, Caller] => [record, { ...who, preferences: { [CLIENT]: { s: restrict(preference) } } }],
      (): [ServerRecord, Caller] => [record, { ...who, scope: narrow(who.scope) }],
      (): [ServerRecord, Caller] => [record, { ...who, owner }],
      (): [ServerRecord, Caller] => [
        record,
        {
          ...who,
          owner: owner.permissions.s ? { ...owner, permissions: { s: restrict(owner.permissions.s) } } : owner,
        },
      ],
    ])();
    for (const name of names) {
      const before = allows(record, who, CLIENT, 'tool', name).allowed;
      const after = allows(...restricted, CLIENT, 'tool', name).allowed;
      if (!before) expect(after).toBe(false);
      if (before && !after) hidden += 1;
    }
  }
  expect(hidden).toBeGreaterThan(1_000);
});
