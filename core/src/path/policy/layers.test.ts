import { expect, test } from 'vitest';
import {
  type Caller,
  type CapabilityKind,
  EVERYWHERE,
  type Permissions,
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
        expect(
          dangerLevel(
            server({ switches: level(a) }),
            caller({ permissions: { s: level(b) }, preferences: { [CLIENT]: { s: level(c) } } }),
            CLIENT,
            'x',
          ),
        ).toBe(Math.max(a, b, c));
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

  for (let round = 0; round < 20_000; round += 1) {
    const record = server({ publicAccess: random(2) === 1, switches: randomSwitches() });
    const who = caller({
      role: pick([1, 2, 3] as const),
      permissions: randomPermissions(),
      preferences: { [CLIENT]: randomPermissions() },
      scope: { ...EVERYWHERE, servers: random(2) ? null : ['s'] },
    });
    const preference = who.preferences[CLIENT]?.s ?? { enabled: true };
    const restricted: [ServerRecord, Caller] = pick([
      (): [ServerRecord, Caller] => [{ ...record, switches: restrict(record.switches) }, who],
      (): [ServerRecord, Caller] => [{ ...record, enabled: false }, who],
      (): [ServerRecord, Caller] => [
        record,
        who.permissions.s ? { ...who, permissions: { s: restrict(who.permissions.s) } } : who,
      ],
      (): [ServerRecord, Caller] => [record, { ...who, preferences: { [CLIENT]: { s: restrict(preference) } } }],
      (): [ServerRecord, Caller] => [record, { ...who, scope: { ...EVERYWHERE, servers: [] } }],
    ])();
    for (const name of names)
      if (!allows(record, who, CLIENT, 'tool', name).allowed)
        expect(allows(...restricted, CLIENT, 'tool', name).allowed).toBe(false);
  }
});
