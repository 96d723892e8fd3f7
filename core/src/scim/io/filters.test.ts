import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '#db';
import { firstOf, GROUP, USER } from '../../../../e2e/harness/scim.ts';
import { createTestScim } from '../../build/test-scim.ts';
import { createTestDatabase } from '../../db/test-database.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let scim: Awaited<ReturnType<typeof createTestScim>>;

const people = [
  {
    userName: 'Alice@example.com',
    externalId: 'A1',
    title: 'Guide',
    userType: 'Employee',
    name: { familyName: 'Jensen', givenName: 'Alice' },
    emails: [
      { value: 'alice@example.com', type: 'work', primary: true },
      { value: 'alice@home.org', type: 'home' },
    ],
  },
  { userName: 'bob', externalId: 'b2', userType: 'Intern', displayName: "Bob O'Malley 100%", active: false },
  {
    userName: 'Carol',
    title: 'Chief',
    userType: 'Employee',
    emails: [{ value: 'carol@home.org', type: 'home' }],
    preferredLanguage: 'en_US',
  },
];

beforeAll(async () => {
  database = await createTestDatabase();
  scim = await createTestScim(database.db);
  await scim.addPerson('default', 'owner', 1);
  const ids: string[] = [];
  for (const person of people)
    ids.push((await scim.ask('owner', 'POST', '/Users', { schemas: [USER], ...person })).json.id);
  await database.db
    .insert(schema.users)
    .values({ workspaceId: 'default', id: 'robot', name: 'R', role: 3, kind: 'agent' });
  await database.db
    .insert(schema.users)
    .values({ workspaceId: 'default', id: 'dave', name: 'Dave', role: 3, email: 'dave@example.com' });
  for (const [displayName, members] of [
    ['Guides', [ids[0], ids[2]]],
    ['Empty', []],
  ] as const)
    await scim.ask('owner', 'POST', '/Groups', {
      schemas: [GROUP],
      displayName,
      members: members.map((value) => ({ value })),
    });
});
afterAll(async () => {
  await scim.app.close();
  await database.drop();
});

const found = async (filter: string, type = 'Users') => {
  const { json } = await scim.ask('owner', 'GET', `/${type}?filter=${encodeURIComponent(filter)}`);
  if (!json.Resources) return json.scimType;
  return json.Resources.map((one) => one.userName ?? one.displayName)
    .map((name) => name.split('@')[0]?.toLowerCase())
    .filter((name) => name !== 'owner')
    .sort()
    .join(' ');
};

test.each([
  ['userName eq "ALICE@example.com"', 'alice'],
  ['userName sw "b"', 'bob'],
  ['userName ew ".COM"', 'alice dave'],
  ['userName co "aro"', 'carol'],
  ['userName ne "bob" and userName ne "dave@example.com"', 'alice carol'],
  ['userName gt "bob"', 'carol dave'],
  ['userName le "bob"', 'alice bob'],
  ['externalId eq "A1"', 'alice'],
  ['externalId eq "a1"', ''],
  ['externalId pr', 'alice bob'],
  ['not (externalId pr)', 'carol dave'],
  ['externalId eq null', 'carol dave'],
  ['externalId ne null', 'alice bob'],
  ['not (title eq "Guide")', 'bob carol dave'],
  ['title ne "Guide"', 'bob carol dave'],
  ['title pr and userType eq "employee"', 'alice carol'],
  ['title pr or userType eq "Intern"', 'alice bob carol'],
  ['name.familyName co "JEN"', 'alice'],
  ['urn:ietf:params:scim:schemas:core:2.0:User:name.familyName eq "jensen"', 'alice'],
  ['active eq false', 'bob'],
  ['active eq "False"', 'bob'],
  ['active ne false', 'alice carol dave'],
  ['displayName eq "bob o\'malley 100%"', 'bob'],
  ['displayName co "%" or displayName co "_"', 'bob'],
  ['emails eq "alice@home.org"', 'alice'],
  ['emails.value co "home.org"', 'alice carol'],
  ['emails.type eq "work"', 'alice dave'],
  ['emails pr', 'alice carol dave'],
  ['emails.primary eq true', 'alice dave'],
  ['emails ne "alice@home.org"', 'bob carol dave'],
  ['emails[type eq "work" and value co "home"]', ''],
  ['emails[type eq "home" and value co "home"]', 'alice carol'],
  ['emails[type eq "home" and not (value sw "alice")]', 'carol'],
  ['emails[type eq "work"].value eq "alice@example.com"', 'alice'],
  ['userType eq "Employee" and emails[type eq "work" or value sw "carol"]', 'alice carol'],
  ['userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', 'bob'],
  ['groups.display eq "guides"', 'alice carol'],
  ['groups[display sw "g" and value pr]', 'alice carol'],
  ['groups pr', 'alice carol'],
  ['meta.created gt "2020-01-01T00:00:00Z" and userName eq "bob"', 'bob'],
  ['meta.lastModified lt "2020-01-01"', ''],
  ['meta.resourceType eq "User" and userName eq "bob"', 'bob'],
  ['schemas eq "urn:ietf:params:scim:schemas:core:2.0:User" and userName eq "bob"', 'bob'],
  ['id eq "dave"', 'dave'],
  ['userName eq "x\' or 1=1 --"', ''],
  ['userName eq "robot"', ''],
])('%s finds %s', async (filter, expected) => {
  expect(await found(filter)).toBe(expected);
});

test.each([
  ['displayName eq "GUIDES"', 'guides'],
  ['members pr', 'guides'],
  ['not (members pr)', 'empty'],
  ['members[display sw "alice"]', 'guides'],
  ['members.value eq "dave"', ''],
  ['displayName sw "e" or members.type eq "User"', 'empty guides'],
])('of groups, %s finds %s', async (filter, expected) => {
  expect(await found(filter, 'Groups')).toBe(expected);
});

test.each([
  'password eq "x"',
  'role eq 1',
  'constructor pr',
  'emails.constructor pr',
  'emails[__proto__ pr]',
  'emails[emails[value pr]]',
  'userName[value eq "x"]',
  'userName eq 1',
  'active gt true',
  'active eq "perhaps"',
  'meta.created gt "yesterday"',
  'meta.created co "2020-01-01"',
  'userName gt null',
  'name.first eq "x"',
  'phoneNumbers pr',
])('%s is refused as a filter', async (filter) => {
  expect(await found(filter)).toBe('invalidFilter');
});

describe('a list', () => {
  const list = async (query: string) => (await scim.ask('owner', 'GET', `/Users?${query}`)).json;

  test('comes in pages, in the order that was asked for', async () => {
    const first = await list('sortBy=userName&count=2');
    expect(first).toMatchObject({ totalResults: 5, startIndex: 1, itemsPerPage: 2 });
    const rest = await list('sortBy=userName&startIndex=3&count=10');
    expect(rest).toMatchObject({ totalResults: 5, startIndex: 3, itemsPerPage: 3 });
    const names = [...first.Resources, ...rest.Resources].map(({ userName }: { userName: string }) => userName);
    expect(names).toEqual(['Alice@example.com', 'bob', 'Carol', 'dave@example.com', 'owner']);
    const back = await list('sortBy=USERNAME&sortOrder=descending&attributes=userName');
    expect(back.Resources.map(({ userName }: { userName: string }) => userName)).toEqual(names.toReversed());
    const byTime = await list('sortBy=meta.lastModified');
    expect(firstOf(byTime).userName).toBe('owner');
  });

  test('takes numbers as the RFC does', async () => {
    expect(await list('count=0')).toMatchObject({ totalResults: 5, itemsPerPage: 0, Resources: [] });
    expect(await list('count=-5')).toMatchObject({ itemsPerPage: 0 });
    expect(await list('startIndex=-3&count=1')).toMatchObject({ startIndex: 1, itemsPerPage: 1 });
    expect(await list('startIndex=1000')).toMatchObject({ totalResults: 5, Resources: [] });
    for (const query of ['count=many', 'count=1.5', 'startIndex=0x1', 'count=1&count=2', 'sortOrder=up'])
      expect((await list(query)).scimType, query).toBe('invalidValue');
    expect((await list('sortBy=nothing')).scimType).toBe('invalidPath');
  });

  test('shows what was asked for, and always the id', async () => {
    const only = await list(
      `attributes=emails.value,urn:ietf:params:scim:schemas:core:2.0:User:title&filter=title+eq+"guide"`,
    );
    expect(only.Resources).toEqual([
      {
        schemas: [USER],
        id: expect.any(String),
        title: 'Guide',
        emails: [{ value: 'alice@example.com' }, { value: 'alice@home.org' }],
      },
    ]);
    const less = await list('excludedAttributes=emails,meta,name.givenName,id&filter=title+eq+"guide"');
    expect(firstOf(less)).toMatchObject({ id: expect.any(String), name: { familyName: 'Jensen' } });
    expect(Object.keys(firstOf(less))).not.toEqual(expect.arrayContaining(['emails']));
    expect(firstOf(less).name.givenName).toBeUndefined();
    expect((await list('attributes=title&excludedAttributes=title')).scimType).toBe('invalidValue');
  });

  test('comes for a search by POST as well', async () => {
    const search = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      attributes: ['displayName', 'userName'],
      filter: 'userType eq "employee"',
      startIndex: 2,
      count: 10,
      sortBy: 'userName',
    };
    const { json } = await scim.ask('owner', 'POST', '/Users/.search', search);
    expect(json).toMatchObject({ totalResults: 2, startIndex: 2, itemsPerPage: 1 });
    expect(json.Resources).toEqual([
      { schemas: [USER], id: expect.any(String), userName: 'Carol', displayName: 'Carol' },
    ]);
    expect((await scim.ask('owner', 'POST', '/Users/.search', {})).json.scimType).toBe('invalidSyntax');
  });
});

test('nothing was a fault', () => {
  expect(scim.seen.faults).toEqual([]);
});
