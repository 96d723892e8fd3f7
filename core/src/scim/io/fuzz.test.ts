import { afterAll, beforeAll, expect, test } from 'vitest';
import { GROUP, patchOf, USER } from '../../../../e2e/harness/scim.ts';
import { createTestScim } from '../../build/test-scim.ts';
import { createTestDatabase } from '../../db/test-database.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let scim: Awaited<ReturnType<typeof createTestScim>>;
let userId: string;
let groupId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  scim = await createTestScim(database.db);
  await scim.addPerson('default', 'owner', 1);
  userId = (await scim.ask('owner', 'POST', '/Users', { schemas: [USER], userName: 'target' })).json.id;
  groupId = (await scim.ask('owner', 'POST', '/Groups', { schemas: [GROUP], displayName: 'Target' })).json.id;
});
afterAll(async () => {
  await scim.app.close();
  await database.drop();
});

const SEED = 7643;
/** mulberry32: the same numbers each time. */
const createRandom = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};
const random = createRandom(SEED);
const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;

const deep = (levels: number): unknown =>
  levels === 0 ? 'x' : random(2) ? [deep(levels - 1)] : { value: deep(levels - 1) };
const strange = (): unknown =>
  pick<unknown>([
    null,
    true,
    'False',
    '',
    ' ',
    0,
    -1,
    1e308,
    '\u0000',
    '\ud800',
    '\u202e<script>',
    'x'.repeat(3_000),
    Array.from({ length: 120 }, () => String.fromCodePoint(0x1f300 + random(700))).join(''),
    Array.from({ length: 1_000 }, () => String.fromCodePoint(0x3400 + random(6_000))).join(''),
    [],
    {},
    [null],
    [[]],
    [{}],
    [{ value: null }],
    [
      { value: 'a@b.c', primary: true },
      { value: 'c@d.e', primary: true },
    ],
    { value: userId },
    [{ value: userId }, { value: userId }],
    deep(40),
    { __proto__x: 1, constructor: { prototype: {} }, toString: 'x' },
    'urn:ietf:params:scim:schemas:core:2.0:User',
    USER,
    '\'; drop table "user"; --',
    '%',
  ]);
const NAMES =
  'userName USERNAME name name.givenName emails emails.value emails[type|eq|"work"] emails[type|eq|"work"].value members members[value|eq|"x"] groups active id meta schemas externalId displayName constructor __proto__ toString nothing Operations op path value'
    .split(' ')
    .map((name) => name.replaceAll('|', ' '));

/** The same thing with something in it removed, put twice, renamed or replaced by what nobody expects. */
const mutate = (value: unknown): unknown => {
  if (random(6) === 0) return strange();
  if (Array.isArray(value)) {
    const items = value.map((item) => (random(3) === 0 ? mutate(item) : item));
    if (random(5) === 0) items.push(strange());
    return random(8) === 0 ? items[0] : items;
  }
  if (typeof value !== 'object' || value === null) return random(2) === 0 ? strange() : value;
  const entries = Object.entries(value).flatMap(([key, field]): [string, unknown][] => {
    const changed = random(3) === 0 ? mutate(field) : field;
    switch (random(12)) {
      case 0:
        return [];
      case 1:
        return [
          [key.toUpperCase(), changed],
          [key, field],
        ];
      case 2:
        return [[pick(NAMES), changed]];
      default:
        return [[key, changed]];
    }
  });
  if (random(4) === 0) entries.push([pick(NAMES), strange()]);
  return Object.fromEntries(entries);
};
const broken = (text: string): string => {
  const at = random(text.length + 1);
  const cut = text.slice(0, at);
  return pick([cut, cut + text.slice(at + 1), cut + pick(['"', '{', ']', '\\', '\u0000', '1e9']) + text.slice(at)]);
};

const users = () => ({
  schemas: [USER],
  userName: `fuzz-${random(40)}`,
  externalId: `e-${random(40)}`,
  name: { givenName: 'G', familyName: 'F' },
  displayName: 'Fuzz',
  active: true,
  emails: [{ value: `fuzz${random(40)}@example.com`, type: 'work', primary: true }],
});
const groups = () => ({ schemas: [GROUP], displayName: `Fuzz ${random(20)}`, members: [{ value: userId }] });
const userPatch = () =>
  patchOf(
    { op: 'Add', path: pick(NAMES), value: users() },
    { op: 'replace', path: pick(NAMES), value: 'x' },
    { op: 'Replace', value: { active: 'False', 'name.givenName': 'X' } },
  );
const groupPatch = () =>
  patchOf(
    { op: 'Add', path: 'members', value: [{ value: userId }] },
    { op: 'Remove', path: `members[value eq "${userId}"]` },
    { op: 'replace', value: { displayName: 'T' } },
  );

test('no body, however broken, is a fault or makes an answer that is not SCIM’s', async () => {
  const shapes = [
    () => ['POST', '/Users', users()] as const,
    () => ['PUT', `/Users/${userId}`, users()] as const,
    () => ['PATCH', `/Users/${userId}`, userPatch()] as const,
    () => ['POST', '/Groups', groups()] as const,
    () => ['PUT', `/Groups/${groupId}`, groups()] as const,
    () => ['PATCH', `/Groups/${groupId}`, groupPatch()] as const,
    () =>
      [
        'POST',
        '/Users/.search',
        { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], filter: 'userName pr', count: 1 },
      ] as const,
  ];
  const counts = new Map<number, number>();
  for (let round = 0; round < 3_000; round += 1) {
    const [method, path, body] = pick(shapes)();
    const text = JSON.stringify(mutate(body)) ?? 'null';
    const sent = random(6) === 0 ? broken(text) : text;
    const { status, json } = await scim.ask('owner', method, path, sent);
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (status >= 400) expect(json, sent).toMatchObject({ status: String(status), detail: expect.any(String) });
    else expect(json.schemas, sent).toHaveLength(1);
    expect(status, sent).toBeLessThan(500);
  }
  expect(scim.seen.faults).toEqual([]);
  for (const status of [200, 201, 400, 409]) expect(counts.get(status), `of ${status}`).toBeGreaterThan(20);
  const { rows } = await database.db.$client.query(
    'select role, count(*)::int from "user" group by role order by role',
  );
  expect(rows).toEqual([
    { role: 1, count: 1 },
    { role: 3, count: expect.any(Number) },
  ]);
}, 120_000);

test('no query, however broken, is a fault', async () => {
  const filters = [
    'userName eq "x" and not (active eq true)',
    'emails[type eq "work" and value co "@"]',
    'meta.created gt "2020-01-01T00:00:00Z"',
    'members[value eq "x"] or groups.value pr',
  ];
  for (let round = 0; round < 1_000; round += 1) {
    const query = new URLSearchParams({
      filter: broken(broken(pick(filters))),
      ...(random(3) === 0 && { sortBy: pick(NAMES) }),
      ...(random(3) === 0 && { count: JSON.stringify(strange()) }),
      ...(random(3) === 0 && { attributes: pick(NAMES) }),
    });
    const { status, json } = await scim.ask('owner', 'GET', `${pick(['/Users', '/Groups'])}?${query}`);
    expect(status, String(query)).toBeLessThan(500);
    expect(json).toBeTypeOf('object');
  }
  expect(scim.seen.faults).toEqual([]);
}, 60_000);
