import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '#db';
import { GROUP, patchOf, USER } from '../../../../e2e/harness/scim.ts';
import { createTestScim } from '../../build/test-scim.ts';
import { createTestDatabase } from '../../db/test-database.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let scim: Awaited<ReturnType<typeof createTestScim>>;
const ids: string[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  scim = await createTestScim(database.db);
  await scim.addPerson('default', 'owner', 1);
  for (const userName of ['ada', 'bob', 'eve'])
    ids.push((await scim.ask('owner', 'POST', '/Users', { schemas: [USER], userName })).json.id);
  await database.db
    .insert(schema.users)
    .values({ workspaceId: 'default', id: 'robot', name: 'R', role: 3, kind: 'agent' });
});
afterAll(async () => {
  await scim.app.close();
  await database.drop();
});

const make = async (displayName: string, members: string[] = [], more: object = {}) =>
  scim.ask('owner', 'POST', '/Groups', {
    schemas: [GROUP],
    displayName,
    ...(members.length > 0 && { members: members.map((value) => ({ value })) }),
    ...more,
  });
const patch = (id: string, ...operations: object[]) =>
  scim.ask('owner', 'PATCH', `/Groups/${id}`, patchOf(...operations));
const membersOf = ({ json }: { json: { members?: { value: string }[] } }) => json.members?.map(({ value }) => value);
const inTeam = async (id: string) =>
  (await database.db.select().from(schema.teamMembers).where(eq(schema.teamMembers.teamId, id)))
    .map(({ userId }) => userId)
    .sort();

test('a group is a team: made, read, renamed and removed, with its members', async () => {
  const [ada = '', bob = '', eve = ''] = ids;
  scim.seen.published.length = 0;
  const made = await make('Tour Guides', [ada, bob], { externalId: 'g-1' });
  expect(made.status).toBe(201);
  const { id } = made.json;
  expect(id).toMatch(/^tourguides-/);
  expect(made.headers.location).toBe(`http://peta.test/scim/v2/Groups/${id}`);
  expect(made.json).toMatchObject({
    schemas: [GROUP],
    externalId: 'g-1',
    displayName: 'Tour Guides',
    members: [ada, bob]
      .sort()
      .map((value) => ({ value, type: 'User', $ref: `http://peta.test/scim/v2/Users/${value}` })),
    meta: { resourceType: 'Group' },
  });
  expect(scim.seen.published.sort()).toEqual([ada, bob].map((one) => `default ${one}`).sort());
  expect((await scim.ask('owner', 'GET', `/Users/${ada}`)).json.groups).toEqual([
    { value: id, $ref: `http://peta.test/scim/v2/Groups/${id}`, display: 'Tour Guides', type: 'direct' },
  ]);

  scim.seen.published.length = 0;
  const moved = await patch(
    id,
    { op: 'Remove', path: `members[value eq "${ada}"]` },
    { op: 'Add', path: 'members', value: [{ value: eve }, { value: bob }] },
  );
  expect(membersOf(moved)).toEqual([bob, eve].sort());
  expect(scim.seen.published.sort()).toEqual([ada, eve].map((one) => `default ${one}`).sort());
  expect(scim.seen.changes.at(-1)).toMatchObject({
    operation: 'scim.groups.patch',
    target: id,
    details: { added: [eve], removed: [ada], before: { displayName: 'Tour Guides' } },
  });

  const renamed = await patch(id, { op: 'replace', value: { id, displayName: 'Guides' } });
  expect(renamed.json).toMatchObject({ displayName: 'Guides', externalId: 'g-1' });
  const replaced = await scim.ask('owner', 'PUT', `/Groups/${id}`, {
    schemas: [GROUP],
    displayName: 'Guides',
    members: [{ value: ada }],
  });
  expect(membersOf(replaced)).toEqual([ada]);
  expect(membersOf(await patch(id, { op: 'Remove', path: 'members', value: [{ value: ada }] }))).toBeUndefined();
  expect((await scim.ask('owner', 'DELETE', `/Groups/${id}`)).status).toBe(204);
  expect((await scim.ask('owner', 'GET', `/Groups/${id}`)).status).toBe(404);
});

test('a name that another group has is refused, whatever its case', async () => {
  await make('Sales');
  expect((await make('SALES')).json).toMatchObject({ status: '409', scimType: 'uniqueness' });
  const { id } = (await make('Buyers')).json;
  const renamed = await patch(id, { op: 'replace', path: 'displayName', value: 'sales' });
  expect(renamed.json).toMatchObject({ status: '409', scimType: 'uniqueness' });
});

test('only people that are there can be members, and then nothing was changed', async () => {
  const { id } = (await make('Careful', ids.slice(0, 1))).json;
  for (const value of [[{ value: 'nobody' }], [{ value: 'robot' }], [{ value: id, type: 'Group' }]]) {
    const { json } = await patch(id, { op: 'add', path: 'members', value: [{ value: ids[1] }, ...value] });
    expect(json).toMatchObject({ status: '400', scimType: 'invalidValue' });
  }
  expect(await inTeam(id)).toEqual(ids.slice(0, 1));
  expect((await make('Not made', ['nobody'])).status).toBe(400);
  expect((await scim.ask('owner', 'GET', '/Groups?filter=displayName+eq+"Not+made"')).json.totalResults).toBe(0);
});

test('agents stay in the team, and no directory sees them', async () => {
  const { id } = (await make('Mixed', ids.slice(0, 1))).json;
  await database.db.insert(schema.teamMembers).values({ workspaceId: 'default', teamId: id, userId: 'robot' });
  expect(membersOf(await scim.ask('owner', 'GET', `/Groups/${id}`))).toEqual(ids.slice(0, 1));
  await scim.ask('owner', 'PUT', `/Groups/${id}`, { schemas: [GROUP], displayName: 'Mixed' });
  expect(await inTeam(id)).toEqual(['robot']);
  await patch(id, { op: 'remove', path: 'members' });
  expect(await inTeam(id)).toEqual(['robot']);
});

test('the version changes with the members, whoever changed them', async () => {
  const { id, meta } = (await make('Versioned', ids.slice(0, 1))).json;
  await database.db
    .update(schema.teamMembers)
    .set({ userId: ids[1] ?? '' })
    .where(and(eq(schema.teamMembers.teamId, id)));
  const { json } = await scim.ask('owner', 'GET', `/Groups/${id}?excludedAttributes=members`);
  expect(json.meta.version).not.toBe(meta.version);
  expect(json.members).toBeUndefined();
  const stale = await scim.ask('owner', 'DELETE', `/Groups/${id}`, undefined, { 'if-match': meta.version });
  expect(stale.status).toBe(412);
  const current = await scim.ask('owner', 'DELETE', `/Groups/${id}`, undefined, { 'if-match': json.meta.version });
  expect(current.status).toBe(204);
});

test('who is removed is in no group any more', async () => {
  const { id: userId } = (await scim.ask('owner', 'POST', '/Users', { schemas: [USER], userName: 'short' })).json;
  const { id } = (await make('Passing', [userId])).json;
  await scim.ask('owner', 'DELETE', `/Users/${userId}`);
  expect(membersOf(await scim.ask('owner', 'GET', `/Groups/${id}`))).toBeUndefined();
});

test('nothing was a fault', () => {
  expect(scim.seen.faults).toEqual([]);
});
