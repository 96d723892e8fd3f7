import { operations as declared, isAssignable, type Operation } from '@peta/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../../db/test-database.ts';
import { openEnvelope } from '../../path/vault/envelope.ts';
import { actions } from '../action-codes.ts';
import { createTestAdmin, type TestAdmin } from './test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
const tokens: Record<string, string | undefined> = { nobody: undefined, impostor: 'peta_never-issued' };

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
  for (const [who, role] of [
    ['owner', 1],
    ['administrator', 2],
    ['user', 3],
  ] as const)
    tokens[who] = (await admin.addPerson(who, role)).token;
  tokens.confined = (await admin.addPerson('second-owner', 1, { servers: ['notes'] })).token;
  tokens.scoped = (await admin.addPerson('third-owner', 1, { operations: SCOPED })).token;
  const body = { roleId: 'helper', operations: CUSTOM };
  const { status } = await admin.rest('POST', '/roles', { token: tokens.owner, body });
  if (status !== 200) throw new Error('The role of this test was not made.');
  tokens.custom = (await admin.addPerson('custom', 3, {}, null, 'helper')).token;
  tokens.auditor = (await admin.addPerson('auditor', 3, {}, null, 'auditor')).token;
});
afterAll(() => database.drop());
beforeEach(() => {
  for (const list of [admin.seen.changes, admin.seen.door, admin.seen.published]) list.length = 0;
});

const operations = [...declared];

/** What the person with a role of the workspace's own may do besides what every user may. */
const CUSTOM = ['users.list', 'users.update', 'users.disable', 'servers.stop', 'audit.list', 'tokens.list'];
/** What a token of an owner is for. */
const SCOPED = ['users.list', 'servers.remove', 'roles.create', 'me.get', 'scim'];

/** Who passes which guard. A token confined to some servers is a person's, and no administrator's. */
const PASSES: Record<Operation['guard'], readonly string[]> = {
  open: ['nobody', 'impostor', 'user', 'auditor', 'custom', 'administrator', 'owner', 'confined', 'scoped'],
  user: ['user', 'custom', 'administrator', 'owner', 'confined'],
  administrator: ['administrator', 'owner'],
  owner: ['owner'],
};
const PEOPLE = PASSES.open;

const mayPass = (who: string, name: string, { guard, method, isOwnSignIn }: Operation): boolean => {
  if (PASSES[guard].includes(who)) return true;
  if (who === 'custom') return CUSTOM.includes(name);
  if (who === 'scoped') return SCOPED.includes(name);
  return who === 'auditor' && guard !== 'owner' && (method === 'GET' || isOwnSignIn === true);
};

/** Passed the guard: refused, if at all, for what was asked. Every input names things that do not exist. */
const isGuardRefusal = (json: Record<string, unknown>): boolean =>
  json.code === 'AUTH_INVALID_TOKEN' ||
  /^Only (the owner|an administrator) may do this\.$|^An auditor reads|^This token is (confined to some|for some)/.test(
    String(json.message),
  );

/** What would remove the people who ask, or is about no input at all; it is tried for those whom the guard stops. */
const SWEEPING = new Set(['users.removeAll', 'servers.removeAll', 'proxy.stop']);

describe.each(operations)('%s', (name, operation) => {
  const { method, path } = operation;
  const url = path.replace(/:\w+/g, '00000000-0000-4000-8000-000000000000');
  const ask = (who: string) => admin.rest(method, url, { token: tokens[who], ...(method !== 'GET' && { body: {} }) });

  test.each(PEOPLE)('%s', async (who) => {
    const passes = mayPass(who, name, operation);
    if (passes && SWEEPING.has(name)) return;
    const { status, json, headers } = await ask(who);
    expect([name, who, isGuardRefusal(json)]).toEqual([name, who, !passes]);
    expect(status).toBeLessThan(500);
    if (passes) return;
    const isUnknown = who === 'nobody' || who === 'impostor';
    expect([status, json.error]).toEqual(isUnknown ? [401, 'Unauthorized'] : [403, 'Forbidden']);
    expect(headers['www-authenticate']).toBe(isUnknown ? 'Bearer realm="peta"' : undefined);
    expect(admin.seen.published).toEqual([]);
    expect(admin.seen.door).toEqual(isUnknown ? ['/api/v1'] : []);
    const isRecorded = !isUnknown && method !== 'GET';
    expect(admin.seen.changes.map(({ operation, outcome }) => [operation, outcome])).toEqual(
      isRecorded ? [[name, 'refused']] : [],
    );
  });
});

test('a role may name no operation of the owner, and everything of administrators', () => {
  for (const [name, operation] of operations) {
    if (operation.guard === 'owner' || operation.guard === 'open')
      expect([name, isAssignable(operation)]).toEqual([name, false]);
    if (operation.guard === 'administrator') expect([name, isAssignable(operation)]).toEqual([name, true]);
  }
});

describe('the published actions', () => {
  const contract: [number, string][] = [
    [1001, 'A'],
    [1002, 'A'],
    [1010, 'O'],
    [1011, 'A'],
    [1012, 'A'],
    [1013, 'A'],
    [1014, 'A'],
    [1015, 'A'],
    [1016, '–'],
    [2001, 'O'],
    [2002, 'A'],
    [2003, 'A'],
    [2004, 'O'],
    [2005, 'O'],
    [2010, 'O'],
    [2011, 'A'],
    [2012, 'O'],
    [2013, 'A'],
    [2014, 'A'],
    [2015, 'A'],
    [2016, 'O'],
    [2017, 'O'],
    [3002, 'A'],
    [3003, 'A'],
    [3004, 'A'],
    [3005, 'A'],
    [5001, '–'],
    [5002, 'O'],
    [5003, 'A'],
    [5004, 'O'],
    [5005, 'O'],
  ];
  const GUARD: Record<string, Operation['guard']> = { O: 'owner', A: 'administrator', '–': 'open' };
  const SWEEP = new Set([1014, 2014, 5005]);

  test('are those of the contract, and no others', () => {
    expect(Object.keys(actions).map(Number)).toEqual(contract.map(([number]) => number));
    const numbers = operations.flatMap(([, { action }]) => (action === undefined ? [] : [action]));
    expect(new Set([...numbers, 2016, 2017])).toEqual(new Set(contract.map(([number]) => number)));
  });

  test.each(contract)('%i is answered to whom it is for (%s), and to nobody else', async (number, by) => {
    const guard = GUARD[by] ?? 'owner';
    const name = actions[number]?.operation ?? '';
    if (guard !== 'open') expect(declared.get(name)?.guard).toBe(guard);
    for (const who of PEOPLE) {
      const operation = declared.get(name);
      const passes = guard === 'open' || (operation !== undefined && mayPass(who, name, operation));
      if (passes && SWEEP.has(number)) continue;
      const { status, json } = await admin.action(
        number,
        { userId: 'x', targetId: 'nobody', proxyId: 99 },
        tokens[who],
      );
      const error = json.error as { code: number; message: string } | undefined;
      const isUnknown = who === 'nobody' || who === 'impostor';
      if (passes) expect([number, who, [1002, 1003].includes(error?.code ?? 0)]).toEqual([number, who, false]);
      else
        expect([number, who, status, error?.code]).toEqual([number, who, ...(isUnknown ? [401, 1002] : [403, 1003])]);
      expect(json.success).toBe(error === undefined);
      expect(error?.message ?? '').not.toContain('There is no action');
    }
  });

  test('an unknown number is an invalid request', async () => {
    const { json } = await admin.action(4711, {}, tokens.owner);
    expect(json).toEqual({ success: false, error: { code: 1001, message: 'There is no action 4711.' } });
  });
});
