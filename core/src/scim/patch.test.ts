import { describe, expect, test } from 'vitest';
import type { JsonObject } from '#call';
import { applyPatch } from './patch.ts';
import { schemas } from './schema.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User';
const bjensen: JsonObject = {
  id: 'bjensen-1',
  userName: 'bjensen',
  displayName: 'Babs',
  active: true,
  name: { givenName: 'Barbara', familyName: 'Jensen' },
  emails: [
    { value: 'work@example.com', type: 'work', primary: true },
    { value: 'home@example.com', type: 'home' },
  ],
};
const team: JsonObject = {
  id: 'team-1',
  displayName: 'Tour Guides',
  members: ['a', 'b', 'c'].map((value) => ({ value, type: 'User' })),
};

const body = (operations: readonly object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: operations,
});
const user = (...operations: object[]) => applyPatch(schemas.user, bjensen, body(operations));
const group = (...operations: object[]) => applyPatch(schemas.group, team, body(operations));
const ids = ({ members }: JsonObject) => (members as { value: string }[] | undefined)?.map(({ value }) => value);
const refusal = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return (error as { scimType: string }).scimType;
  }
  return 'none';
};

describe('as the RFC has it (RFC 7644 section 3.5.2)', () => {
  test('add brings what is new and leaves what is there', () => {
    expect(
      group({ op: 'add', path: 'members', value: [{ value: 'b' }, { value: 'd', display: 'Dora' }] }),
    ).toMatchObject({ members: [{ value: 'a' }, { value: 'b' }, { value: 'c' }, { value: 'd' }] });
    expect(
      user({ op: 'add', value: { emails: [{ value: 'babs@jensen.org', type: 'home' }], nickName: 'Babs' } }),
    ).toMatchObject({ nickName: 'Babs', emails: [{}, {}, { value: 'babs@jensen.org', type: 'home' }] });
    expect(user({ op: 'add', path: 'emails', value: { type: 'home', value: 'home@example.com' } }).emails).toHaveLength(
      2,
    );
  });

  test('remove takes out one, some, or all', () => {
    expect(ids(group({ op: 'remove', path: 'members' }))).toBeUndefined();
    expect(ids(group({ op: 'remove', path: 'members[value eq "b"]' }))).toEqual(['a', 'c']);
    expect(user({ op: 'remove', path: 'emails[type eq "work" and value ew "example.com"]' }).emails).toEqual([
      { value: 'home@example.com', type: 'home' },
    ]);
    expect(user({ op: 'remove', path: 'emails[type eq "work"].primary' }).emails).toEqual([
      { value: 'work@example.com', type: 'work' },
      { value: 'home@example.com', type: 'home' },
    ]);
    expect(user({ op: 'remove', path: 'name' }).name).toBeUndefined();
    expect(user({ op: 'remove', path: 'name.givenName' }).name).toEqual({ familyName: 'Jensen' });
  });

  test('remove and add in one request replace', () => {
    const changed = group(
      { op: 'remove', path: 'members[value eq "a"]' },
      { op: 'add', path: 'members', value: [{ value: 'z' }] },
    );
    expect(ids(changed)).toEqual(['b', 'c', 'z']);
  });

  test('replace puts other values where some were', () => {
    expect(ids(group({ op: 'replace', path: 'members', value: [{ value: 'x' }, { value: 'y' }] }))).toEqual(['x', 'y']);
    const moved = user({
      op: 'replace',
      path: 'emails[type eq "work"]',
      value: { type: 'work', value: 'new@example.com', primary: true },
    });
    expect(moved.emails).toMatchObject([{ value: 'new@example.com' }, { value: 'home@example.com' }]);
    expect(user({ op: 'replace', path: 'emails[type eq "home"].value', value: 'x@y.z' }).emails).toMatchObject([
      { value: 'work@example.com' },
      { value: 'x@y.z', type: 'home' },
    ]);
    expect(user({ op: 'replace', value: { name: { givenName: 'Babs' }, nickName: 'B' } })).toMatchObject({
      name: { givenName: 'Babs', familyName: 'Jensen' },
      nickName: 'B',
    });
  });

  test('a new primary value takes the place of the old', () => {
    const added = user({ op: 'add', path: 'emails', value: [{ value: 'n@example.com', primary: true }] });
    expect((added.emails as { primary?: boolean }[]).map(({ primary }) => primary)).toEqual([false, undefined, true]);
    const turned = user({ op: 'replace', path: 'emails[type eq "home"].primary', value: true });
    expect((turned.emails as { primary?: boolean }[]).map(({ primary }) => primary)).toEqual([false, true]);
  });

  test('null and nothing are not given', () => {
    expect(user({ op: 'replace', path: 'displayName', value: null }).displayName).toBeUndefined();
    expect(user({ op: 'replace', path: 'emails', value: [] }).emails).toBeUndefined();
    expect(user({ op: 'replace', value: { name: { givenName: null } } }).name).toEqual({ familyName: 'Jensen' });
  });

  test('names of attributes and operations may come in any case, and behind the URN of the schema', () => {
    expect(user({ op: 'REPLACE', path: 'USERNAME', value: 'x' }).userName).toBe('x');
    expect(user({ op: 'replace', path: `${CORE}:name.familyName`, value: 'X' }).name).toMatchObject({
      familyName: 'X',
    });
    expect(user({ op: 'replace', value: { [CORE]: { title: 'T' } } }).title).toBe('T');
  });

  test.each([
    ['invalidPath', { op: 'replace', path: 'nothing', value: 'x' }],
    ['invalidPath', { op: 'replace', path: 'name.nothing', value: 'x' }],
    ['invalidPath', { op: 'replace', path: 'emails[type eq "work"', value: 'x' }],
    ['invalidPath', { op: 'replace', path: 'userName[type eq "work"]', value: 'x' }],
    ['invalidPath', { op: 'replace', path: 'urn:acme:User:colour', value: 'x' }],
    ['invalidPath', { op: 'add', value: { __proto__x: 1 } }],
    ['invalidFilter', { op: 'replace', path: 'emails[colour eq "work"].value', value: 'x' }],
    ['noTarget', { op: 'remove' }],
    ['noTarget', { op: 'replace', path: 'emails[type eq "other"]', value: { value: 'x' } }],
    ['noTarget', { op: 'replace', path: 'emails[value eq "none"].display', value: 'x' }],
    ['mutability', { op: 'replace', path: 'id', value: 'x' }],
    ['mutability', { op: 'replace', value: { id: 'x' } }],
    ['mutability', { op: 'replace', path: 'meta.created', value: 'x' }],
    ['mutability', { op: 'add', path: 'groups', value: [{ value: 'x' }] }],
    ['mutability', { op: 'remove', path: 'userName' }],
    ['mutability', { op: 'replace', path: 'userName', value: '' }],
    ['invalidValue', { op: 'replace', path: 'active', value: 'perhaps' }],
    ['invalidValue', { op: 'replace', path: 'userName', value: { a: 1 } }],
    ['invalidValue', { op: 'replace', path: 'name', value: 'x' }],
    ['invalidValue', { op: 'add', path: 'emails', value: [{ type: 'work' }] }],
    ['invalidValue', { op: 'replace', value: 'x' }],
    ['invalidValue', { op: 'replace', path: 'title' }],
    ['invalidValue', { op: 'replace', path: 'title', value: 'a\u0000b' }],
    ['invalidSyntax', { op: 'move', path: 'title', value: 'x' }],
    ['invalidSyntax', { path: 'title', value: 'x' }],
  ])('%s is what comes of %j', (scimType, operation) => {
    expect(refusal(() => user(operation))).toBe(scimType);
  });

  test('one operation that cannot be done undoes the others', () => {
    const before = structuredClone(bjensen);
    expect(refusal(() => user({ op: 'replace', path: 'title', value: 'x' }, { op: 'remove', path: 'userName' }))).toBe(
      'mutability',
    );
    expect(bjensen).toEqual(before);
  });
});

describe('as Entra ID has it', () => {
  test('words for true and false, operations in capitals, and a list around one value', () => {
    expect(user({ op: 'Replace', path: 'active', value: 'False' }).active).toBe(false);
    expect(user({ op: 'Add', path: 'active', value: 'True' }).active).toBe(true);
    expect(user({ op: 'Replace', path: 'displayName', value: [{ $ref: null, value: 'New' }] }).displayName).toBe('New');
    expect(user({ op: 'Replace', path: 'emails[type eq "work"].primary', value: 'True' }).emails).toMatchObject([
      { primary: true },
      {},
    ]);
  });

  test('an address of a type that is not there yet is made', () => {
    for (const op of ['Add', 'Replace'])
      expect(user({ op, path: 'emails[type eq "other"].value', value: 'o@example.com' }).emails).toMatchObject([
        {},
        {},
        { type: 'other', value: 'o@example.com' },
      ]);
  });

  test('keys of an operation without a path are paths themselves', () => {
    const changed = user({
      op: 'Replace',
      value: {
        active: 'False',
        'name.givenName': 'Babs',
        'emails[type eq "work"].value': 'w@example.com',
        [`${ENTERPRISE}:department`]: 'Tours',
        [ENTERPRISE]: { manager: { value: '26118915' } },
        'phoneNumbers[type eq "mobile"].value': '555',
      },
    });
    expect(changed).toMatchObject({
      active: false,
      name: { givenName: 'Babs' },
      emails: [{ value: 'w@example.com' }, {}],
    });
  });

  test('attributes that are not kept are taken, by any path', () => {
    for (const path of [
      `${ENTERPRISE}:department`,
      `${ENTERPRISE}:manager`,
      `${ENTERPRISE}:manager.value`,
      'addresses[type eq "work"].formatted',
      'phoneNumbers',
      'roles[primary eq "True"].value',
    ])
      expect(user({ op: 'Add', path, value: 'x' }, { op: 'Remove', path })).toEqual({ ...bjensen, id: undefined });
  });

  test('the values to remove stand in the value', () => {
    expect(ids(group({ op: 'Remove', path: 'members', value: [{ value: 'a' }, { value: 'gone' }] }))).toEqual([
      'b',
      'c',
    ]);
    expect(ids(group({ op: 'Remove', path: 'members', value: [{ value: 'gone' }] }))).toEqual(['a', 'b', 'c']);
  });
});

describe('as Okta has it', () => {
  test('a group is renamed by an object that repeats its id', () => {
    expect(group({ op: 'replace', value: { id: 'team-1', displayName: 'Renamed' } }).displayName).toBe('Renamed');
  });

  test('members are added, removed by a filter, and replaced', () => {
    const changed = group(
      { op: 'remove', path: 'members[value eq "a"]' },
      { op: 'add', path: 'members', value: [{ value: 'd', display: 'dora@example.com' }] },
    );
    expect(ids(changed)).toEqual(['b', 'c', 'd']);
    expect(ids(group({ op: 'replace', path: 'members', value: [{ value: 'q', display: 'q' }] }))).toEqual(['q']);
  });

  test('somebody is deactivated by an object', () => {
    expect(user({ op: 'replace', value: { active: false } }).active).toBe(false);
  });
});

test('many operations on many members are done soon, or refused', () => {
  const members = Array.from({ length: 10_000 }, (_, at) => ({ value: `m-${at}`, type: 'User' }));
  const big: JsonObject = { ...team, members };
  const removals = Array.from({ length: 300 }, (_, at) => ({ op: 'remove', path: `members[value eq "m-${at}"]` }));
  const began = performance.now();
  expect(ids(applyPatch(schemas.group, big, body(removals)))).toHaveLength(9_700);
  expect(performance.now() - began).toBeLessThan(5_000);
  const more = Array.from({ length: 1_000 }, () => ({ op: 'remove', path: 'members[value eq "none"]' }));
  expect(refusal(() => applyPatch(schemas.group, big, body(more)))).toBe('tooMany');
  expect(refusal(() => applyPatch(schemas.group, team, body([...more, ...more])))).toBe('tooMany');
});
