import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVERYWHERE, type Scope } from '#call';
import { schema } from '#db';
import { firstOf, GROUP, patchOf, USER } from '../../../../e2e/harness/scim.ts';
import { createTestScim } from '../../build/test-scim.ts';
import { createTestDatabase } from '../../db/test-database.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let scim: Awaited<ReturnType<typeof createTestScim>>;
beforeAll(async () => {
  database = await createTestDatabase();
  scim = await createTestScim(database.db);
  await scim.addPerson('default', 'owner', 1);
  await scim.addPerson('default', 'admin', 2);
  await scim.addPerson('default', 'user', 3);
  await scim.addPerson('default', 'connector', 3, { operations: ['scim'] });
  const narrow = (scope: Partial<Scope>) => ({ scope: { ...EVERYWHERE, ...scope } });
  await scim.addPerson('default', 'for-scim', 2, narrow({ operations: ['scim'] }));
  await scim.addPerson('default', 'narrow', 2, narrow({ operations: ['users.list'] }));
  await scim.addPerson('default', 'confined', 2, narrow({ servers: ['notes'] }));
  await scim.addPerson('default', 'given-nothing', 3, narrow({ operations: ['scim'] }));
  await scim.addPerson('default', 'auditor', 3, { isAuditor: true, operations: ['users.list'] });
  await database.db.update(schema.users).set({ roleId: 'auditor' }).where(eq(schema.users.id, 'auditor'));
  await scim.addPerson('other', 'stranger', 1);
});
afterAll(async () => {
  await scim.app.close();
  await database.drop();
});

const make = async (userName: string, more: object = {}, bearer = 'admin') => {
  const { json, status } = await scim.ask(bearer, 'POST', '/Users', { schemas: [USER], userName, ...more });
  expect(status, JSON.stringify(json)).toBe(201);
  return json as { id: string; meta: { version: string; location: string } };
};
const names = async (filter: string, bearer = 'admin', more = '') => {
  const { json } = await scim.ask(bearer, 'GET', `/Users?filter=${encodeURIComponent(filter)}${more}`);
  return json.Resources?.map(({ userName }: { userName: string }) => userName) ?? json;
};

describe('who may provision', () => {
  test('is the owner, an administrator, and whoever was given the operation', async () => {
    const statuses = await Promise.all(
      'owner admin connector for-scim user narrow confined given-nothing auditor nobody'
        .split(' ')
        .map(async (bearer) => (await scim.ask(bearer, 'GET', '/Users')).status),
    );
    expect(statuses).toEqual([200, 200, 200, 200, 403, 403, 403, 403, 403, 401]);
  });

  test('hears of a refusal in the words of SCIM, with the status as text', async () => {
    const { json, headers } = await scim.ask('nobody', 'POST', '/Users', '{{{');
    expect(json).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '401',
      detail: 'The token is not valid.',
    });
    expect(headers['content-type']).toMatch(/^application\/scim\+json/);
    expect(headers['www-authenticate']).toContain('Bearer');
  });

  test('cannot change or remove the owner, themselves, or whoever has as much to say', async () => {
    const other = await make('second-admin');
    await database.db.update(schema.users).set({ role: 2 }).where(eq(schema.users.id, other.id));
    const off = patchOf({ op: 'replace', path: 'active', value: false });
    const status = async (bearer: string, id: string) => [
      (await scim.ask(bearer, 'PATCH', `/Users/${id}`, off)).status,
      (await scim.ask(bearer, 'PUT', `/Users/${id}`, { schemas: [USER], userName: id })).status,
      (await scim.ask(bearer, 'DELETE', `/Users/${id}`)).status,
    ];
    expect(await status('admin', 'owner')).toEqual([403, 403, 403]);
    expect(await status('owner', 'owner')).toEqual([403, 403, 403]);
    expect(await status('admin', 'admin')).toEqual([403, 403, 403]);
    expect(await status('connector', 'connector')).toEqual([403, 403, 403]);
    expect(await status('admin', other.id)).toEqual([403, 403, 403]);
    expect(await status('connector', other.id)).toEqual([403, 403, 403]);
    expect(await status('connector', 'auditor')).toEqual([403, 403, 403]);
    expect(await status('owner', other.id)).toEqual([200, 200, 204]);
    expect(scim.seen.changes.filter(({ outcome, target }) => outcome === 'refused' && target === 'owner')).toHaveLength(
      6,
    );
  });

  test('makes nobody more than a user, whatever the body says', async () => {
    const { id } = await make('climber', { roles: [{ value: 'owner' }], role: 1, status: 2, entitlements: ['x'] });
    await scim.ask('admin', 'PATCH', `/Users/${id}`, patchOf({ op: 'add', value: { roles: [{ value: 'admin' }] } }));
    const [row] = await database.db.select().from(schema.users).where(eq(schema.users.id, id));
    expect(row).toMatchObject({ role: 3, roleId: null, kind: 'person', permissions: {} });
    expect(
      (await scim.ask('admin', 'PATCH', `/Users/${id}`, patchOf({ op: 'add', path: 'role', value: 1 }))).json,
    ).toMatchObject({ status: '400', scimType: 'invalidPath' });
  });
});

describe('a workspace', () => {
  test('is all that a token sees and reaches', async () => {
    const mine = await make('mine@example.com', { externalId: 'same' });
    const theirs = await make('mine@example.com', { externalId: 'same' }, 'stranger');
    const group = await scim.ask('stranger', 'POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'Theirs',
      members: [{ value: theirs.id }],
    });
    expect(await names('userName eq "mine@example.com"')).toHaveLength(1);
    expect(await names('id eq "owner" or userName pr', 'stranger')).not.toContain('owner');
    const path = `/Users/${theirs.id}`;
    const off = patchOf({ op: 'replace', path: 'active', value: false });
    expect((await scim.ask('admin', 'GET', path)).status).toBe(404);
    expect((await scim.ask('admin', 'PUT', path, { schemas: [USER], userName: 'x' })).status).toBe(404);
    expect((await scim.ask('admin', 'PATCH', path, off)).status).toBe(404);
    expect((await scim.ask('admin', 'DELETE', path)).status).toBe(404);
    const team = `/Groups/${group.json.id}`;
    expect((await scim.ask('admin', 'GET', team)).status).toBe(404);
    expect((await scim.ask('admin', 'DELETE', team)).status).toBe(404);
    expect((await scim.ask('admin', 'GET', '/Groups')).json.totalResults).toBe(0);
    const intruder = patchOf({ op: 'add', path: 'members', value: [{ value: mine.id }] });
    expect((await scim.ask('stranger', 'PATCH', team, intruder)).json).toMatchObject({ scimType: 'invalidValue' });
    expect(await names(`groups.display eq "Theirs"`)).toEqual([]);
    expect((await scim.ask('stranger', 'GET', path)).json).toMatchObject({ active: true });
  });
});

describe('a user name', () => {
  test('stays as it was given, and is taken whatever its case', async () => {
    const { id } = await make('Bjensen@Example.com');
    expect((await scim.ask('admin', 'GET', `/Users/${id}`)).json.userName).toBe('Bjensen@Example.com');
    expect(id).toMatch(/^bjensen-[a-z0-9]{8}$/);
    const again = await scim.ask('admin', 'POST', '/Users', { schemas: [USER], userName: 'bjensen@example.COM' });
    expect(again.json).toMatchObject({ status: '409', scimType: 'uniqueness' });
    expect(await names('userName eq "BJENSEN@example.com"')).toEqual(['Bjensen@Example.com']);
    const [row] = await database.db.select().from(schema.users).where(eq(schema.users.id, id));
    expect(row?.email).toBe('bjensen@example.com');
  });

  test('of somebody whom no directory made is their address, or their id, and they can be taken over', async () => {
    await database.db
      .insert(schema.users)
      .values({ workspaceId: 'default', id: 'ada', name: 'Ada', role: 3, email: 'ada@example.com' });
    expect(await names('userName eq "Ada@example.com"')).toEqual(['ada@example.com']);
    expect(await names('userName eq "user"')).toEqual(['user']);
    expect(await names('emails[type eq "work" and value sw "ada"]')).toEqual(['ada@example.com']);
    const linked = await scim.ask(
      'admin',
      'PATCH',
      '/Users/ada',
      patchOf({ op: 'add', value: { externalId: 'e-ada', 'name.givenName': 'Ada' } }),
    );
    expect(linked.json).toMatchObject({ id: 'ada', externalId: 'e-ada', userName: 'ada@example.com' });
    expect((await scim.ask('admin', 'POST', '/Users', { schemas: [USER], userName: 'ada' })).status).toBe(201);
  });

  test('may be given up for another, while the id stays', async () => {
    const { id } = await make('maiden@example.com');
    const renamed = await scim.ask(
      'admin',
      'PATCH',
      `/Users/${id}`,
      patchOf({ op: 'replace', path: 'userName', value: 'married@example.com' }),
    );
    expect(renamed.json).toMatchObject({ id, userName: 'married@example.com' });
    await make('maiden@example.com');
    const back = await scim.ask(
      'admin',
      'PATCH',
      `/Users/${id}`,
      patchOf({ op: 'replace', path: 'userName', value: 'MAIDEN@example.com' }),
    );
    expect(back.json).toMatchObject({ status: '409', scimType: 'uniqueness' });
  });

  test('is taken once, however many ask for it at the same time', async () => {
    const asked = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        scim.ask('admin', 'POST', '/Users', { schemas: [USER], userName: at % 2 ? 'race' : 'RACE' }),
      ),
    );
    expect(asked.map(({ status }) => status).sort()).toEqual([201, ...Array(11).fill(409)]);
  });

  test('cannot come with an address or an external id that another has', async () => {
    await make('one', { externalId: 'ext', emails: [{ value: 'one@example.com', primary: true }] });
    for (const more of [{ externalId: 'ext' }, { emails: [{ value: 'ONE@example.com' }] }]) {
      const { json } = await scim.ask('admin', 'POST', '/Users', { schemas: [USER], userName: 'two', ...more });
      expect(json).toMatchObject({ status: '409', scimType: 'uniqueness' });
    }
  });
});

describe('active', () => {
  test('false disables and ends what is open, true lets in again, and a suspension stays', async () => {
    const { id } = await make('leaver@example.com');
    await database.db.insert(schema.signIns).values({
      id: 's',
      hash: 'h',
      workspaceId: 'default',
      userId: id,
      methods: ['password'],
      address: '::1',
      expiresAt: new Date(Date.now() + 1e6),
    });
    const set = async (value: unknown) =>
      (await scim.ask('admin', 'PATCH', `/Users/${id}`, patchOf({ op: 'Replace', path: 'active', value }))).json.active;
    const status = async () =>
      (await database.db.select().from(schema.users).where(eq(schema.users.id, id)))[0]?.status;
    scim.seen.published.length = 0;
    expect([await set('False'), await status()]).toEqual([false, 0]);
    expect(scim.seen.published).toEqual([`default ${id}`]);
    expect(await database.db.select().from(schema.signIns)).toEqual([]);
    expect([await set('True'), await status()]).toEqual([true, 1]);
    await database.db.update(schema.users).set({ status: 3 }).where(eq(schema.users.id, id));
    expect([await set(true), await status()]).toEqual([false, 3]);
  });

  test('stays as it is when a PUT does not say', async () => {
    const { id } = await make('quiet@example.com', { active: false, externalId: 'q' });
    const { json } = await scim.ask('admin', 'PUT', `/Users/${id}`, { schemas: [USER], userName: 'quiet@example.com' });
    expect(json).toMatchObject({ active: false, externalId: 'q' });
  });
});

test('a shown name made of the others follows them, one that was given does not', async () => {
  const { id } = await make('babs', { name: { givenName: 'Barbara', familyName: 'Jensen' } });
  const rename = patchOf({ op: 'replace', path: 'name.familyName', value: 'Smith' });
  expect((await scim.ask('admin', 'PATCH', `/Users/${id}`, rename)).json.displayName).toBe('Barbara Smith');
  const call = patchOf({ op: 'replace', path: 'displayName', value: 'Babs' });
  expect((await scim.ask('admin', 'PATCH', `/Users/${id}`, call)).json.displayName).toBe('Babs');
  const again = patchOf({ op: 'replace', path: 'name.familyName', value: 'Jones' });
  expect((await scim.ask('admin', 'PATCH', `/Users/${id}`, again)).json.displayName).toBe('Babs');
});

describe('a version', () => {
  test('keeps one change from undoing another that it does not know of', async () => {
    const made = await make('versioned');
    const path = `/Users/${made.id}`;
    const { version } = made.meta;
    const to = (value: string) => patchOf({ op: 'replace', path: 'title', value });
    expect((await scim.ask('admin', 'GET', path, undefined, { 'if-none-match': version })).status).toBe(304);
    expect((await scim.ask('admin', 'PATCH', path, to('A'), { 'if-match': version })).status).toBe(200);
    expect((await scim.ask('admin', 'PATCH', path, to('B'), { 'if-match': version })).json).toMatchObject({
      status: '412',
    });
    expect((await scim.ask('admin', 'DELETE', path, undefined, { 'if-match': version })).status).toBe(412);
    expect(
      (await scim.ask('admin', 'PUT', path, { schemas: [USER], userName: 'v' }, { 'if-match': version })).status,
    ).toBe(412);
    const now = await scim.ask('admin', 'GET', path, undefined, { 'if-none-match': version });
    expect(now.json).toMatchObject({ title: 'A' });
    expect(now.headers.etag).toBe(now.json.meta.version);
    const listed = await scim.ask('admin', 'GET', `/Users?filter=${encodeURIComponent('userName eq "versioned"')}`);
    expect(firstOf(listed.json).meta.version).toBe(now.json.meta.version);
    expect((await scim.ask('admin', 'DELETE', path, undefined, { 'if-match': '*' })).status).toBe(204);
  });
});

test('every change is written down with who made it, before and after, and no password', async () => {
  scim.seen.changes.length = 0;
  const { id } = await make('logged@example.com', { password: 'hunter2-hunter2' });
  await scim.ask(
    'admin',
    'PATCH',
    `/Users/${id}`,
    patchOf({ op: 'add', value: { title: 'Chief', password: 'hunter3' } }),
  );
  await scim.ask('admin', 'DELETE', `/Users/${id}`);
  const seen = scim.seen.changes.map(({ caller, operation, target, outcome, details }) => ({
    by: caller.userId,
    operation,
    target,
    outcome,
    before: details.before !== undefined,
    after: details.after !== undefined,
  }));
  const common = { by: 'admin', target: id, outcome: 'done' };
  expect(seen).toEqual([
    { ...common, operation: 'scim.users.create', before: false, after: true },
    { ...common, operation: 'scim.users.patch', before: true, after: true },
    { ...common, operation: 'scim.users.remove', before: true, after: false },
  ]);
  expect(scim.seen.changes[1]?.details).toMatchObject({ after: { title: 'Chief', userName: 'logged@example.com' } });
  expect(JSON.stringify(scim.seen.changes)).not.toContain('hunter');
});

test('nothing was a fault', () => {
  expect(scim.seen.faults).toEqual([]);
});
