import type { Client } from '@peta/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStream } from '../harness/events.ts';
import { becomeOwner, cleanUp, type RunningPeta } from '../harness/peta.ts';
import { initialize, post } from '../harness/raw.ts';
import {
  createDirectory,
  type Directory,
  ENTERPRISE,
  firstOf,
  GROUP,
  patchOf,
  startWithDirectory,
  USER,
} from '../harness/scim.ts';

let peta: RunningPeta;
let api: Client;
let ask: Directory;

beforeAll(async () => {
  ({ peta, api, ask } = await startWithDirectory());
});
afterAll(cleanUp);

const LIMIT_MS = 1_000;

test('Entra ID provisions somebody from the first look to the last', async () => {
  const probe = await ask('GET', `/Users?filter=userName+eq+"non-existent-probe-3f1c"`);
  expect(probe.json).toMatchObject({ totalResults: 0, Resources: [] });
  const { json: made } = await ask('POST', '/Users', {
    schemas: [USER, ENTERPRISE],
    externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
    userName: 'Test_User_ab6490ee@contoso.example',
    active: true,
    emails: [{ primary: true, type: 'work', value: 'Test_User_fd0ea19b@contoso.example' }],
    meta: { resourceType: 'User' },
    name: { formatted: 'givenName familyName', familyName: 'familyName', givenName: 'givenName' },
    roles: [],
  });
  expect(made).toMatchObject({ userName: 'Test_User_ab6490ee@contoso.example', active: true });
  const path = `/Users/${made.id}`;
  const updated = await ask(
    'PATCH',
    path,
    patchOf(
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'updatedEmail@contoso.example' },
      { op: 'Replace', path: 'name.familyName', value: 'updatedFamilyName' },
      { op: 'Add', path: `${ENTERPRISE}:department`, value: 'Sales' },
      { op: 'Add', path: 'emails[type eq "home"].value', value: 'home@contoso.example' },
    ),
  );
  expect(updated.json).toMatchObject({
    name: { familyName: 'updatedFamilyName' },
    emails: [{ value: 'updatedEmail@contoso.example', type: 'work' }, { value: 'home@contoso.example' }],
  });
  const renamed = await ask(
    'PATCH',
    path,
    patchOf({ op: 'Replace', path: 'userName', value: '5b50642d-79fc-4410-9e90-4c077cdd1a59@contoso.example' }),
  );
  expect(renamed.json.userName).toBe('5b50642d-79fc-4410-9e90-4c077cdd1a59@contoso.example');

  const { json: group } = await ask('POST', '/Groups', {
    schemas: [GROUP, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
    externalId: '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159',
    displayName: 'displayName',
    meta: { resourceType: 'Group' },
  });
  const found = await ask('GET', '/Groups?excludedAttributes=members&filter=displayName+eq+"displayName"');
  expect(found.json).toMatchObject({ totalResults: 1, Resources: [{ id: group.id }] });
  const groupPath = `/Groups/${group.id}`;
  const rename = patchOf({ op: 'Replace', path: 'displayName', value: '1879db59-3bdf-4490-ad68-ab880a269474' });
  expect((await ask('PATCH', groupPath, rename)).json.displayName).toMatch(/^1879db59/);
  const join = patchOf({ op: 'Add', path: 'members', value: [{ $ref: null, value: made.id }] });
  expect((await ask('PATCH', groupPath, join)).json.members).toMatchObject([{ value: made.id }]);
  const leave = patchOf({ op: 'Remove', path: 'members', value: [{ $ref: null, value: made.id }] });
  expect((await ask('PATCH', groupPath, leave)).json.members).toBeUndefined();
  expect((await ask('DELETE', groupPath)).status).toBe(204);

  const off = await ask('PATCH', path, patchOf({ op: 'Replace', path: 'active', value: 'False' }));
  expect(off.json.active).toBe(false);
  expect((await api.users.get({ userId: made.id })).user.status).toBe(0);
  expect((await ask('DELETE', path)).status).toBe(204);
});

test('Okta provisions somebody from the first look to the last', async () => {
  expect((await ask('GET', '/Users?startIndex=1&count=2')).json.itemsPerPage).toBe(2);
  const userName = 'Isaac.Brock@example.com';
  expect((await ask('GET', `/Users?filter=userName%20eq%20%22${userName}%22`)).json.totalResults).toBe(0);
  const body = {
    schemas: [USER],
    userName,
    name: { givenName: 'Isaac', familyName: 'Brock' },
    emails: [{ primary: true, value: userName, type: 'work' }],
    displayName: 'Isaac Brock',
    locale: 'en-US',
    externalId: '00ujl29u0le5T6Aj10h7',
    groups: [],
    password: '1mz050nq',
    active: true,
  };
  const { status, json: made } = await ask('POST', '/Users', body);
  expect(status).toBe(201);
  expect(made).toMatchObject({ active: true, userName, name: body.name, emails: body.emails });
  const path = `/Users/${made.id}`;
  const replaced = await ask('PUT', path, { ...made, name: { givenName: 'Another', familyName: 'Brock' } });
  expect(replaced.json.name).toEqual({ givenName: 'Another', familyName: 'Brock' });

  const { json: group } = await ask('POST', '/Groups', { schemas: [GROUP], displayName: 'Test SCIMv2', members: [] });
  const groupPath = `/Groups/${group.id}`;
  const renamed = await ask(
    'PATCH',
    groupPath,
    patchOf({ op: 'replace', value: { id: group.id, displayName: 'Test SCIMv2 renamed' } }),
  );
  expect(renamed.json.displayName).toBe('Test SCIMv2 renamed');
  const joined = await ask(
    'PATCH',
    groupPath,
    patchOf({ op: 'add', path: 'members', value: [{ value: made.id, display: userName }] }),
  );
  expect(joined.json.members).toMatchObject([{ value: made.id }]);
  const left = await ask('PATCH', groupPath, patchOf({ op: 'remove', path: `members[value eq "${made.id}"]` }));
  expect(left.json.members).toBeUndefined();

  const off = await ask('PATCH', path, patchOf({ op: 'replace', value: { active: false } }));
  expect(off.json.active).toBe(false);
  const on = await ask('PUT', path, { ...replaced.json, active: true });
  expect(on.json.active).toBe(true);
});

test('whoever the directory takes out is out within a second, with what they have open', async () => {
  const leave = {
    deactivated: (id: string) =>
      ask('PATCH', `/Users/${id}`, patchOf({ op: 'Replace', path: 'active', value: 'False' })),
    removed: (id: string) => ask('DELETE', `/Users/${id}`),
  };
  for (const [how, take] of Object.entries(leave)) {
    const { json } = await ask('POST', '/Users', { schemas: [USER], userName: `${how}@example.com` });
    const { secret } = await api.tokens.issue({ userId: json.id });
    const session = await initialize(peta.mcpUrl, secret);
    const stream = await openStream(peta.mcpUrl, { token: secret, session });
    expect(stream.status).toBe(200);
    const ended = stream.rest().then(() => Date.now());
    await take(json.id);
    const since = Date.now();
    expect((await ended) - since, how).toBeLessThan(LIMIT_MS);
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const { status } = await post(peta.mcpUrl, ping, { token: secret, headers: { 'mcp-session-id': session } });
    expect(status, how).toBe(401);
  }
});

test('a token for provisioning does nothing else, and others do not provision', async () => {
  const issue = async (userId: string, scope = {}) => (await api.tokens.issue({ userId, scope })).secret;
  const forScim = await issue('directory', { operations: ['scim'] });
  const atScim = await issue('directory', { endpoints: ['/scim/v2'] });
  for (const token of [forScim, atScim]) {
    expect((await createDirectory(peta.url, token)('GET', '/Users?count=0')).status).toBe(200);
    const elsewhere = await fetch(`${peta.url}/api/v1/users`, { headers: { authorization: `Bearer ${token}` } });
    expect(elsewhere.status).toBe(403);
  }
  await api.users.create({ userId: 'plain', name: 'Plain' });
  for (const token of [await issue('plain'), await issue('directory', { operations: ['users.list'] })])
    expect((await createDirectory(peta.url, token)('GET', '/Users')).json).toMatchObject({ status: '403' });
  const { json: owner } = await ask('GET', '/Users?filter=displayName+eq+"Olivia+Owner"');
  const off = patchOf({ op: 'replace', path: 'active', value: false });
  expect((await ask('PATCH', `/Users/${firstOf(owner).id}`, off)).json).toMatchObject({ status: '403' });
});

test('no address of SCIM says anything to anybody without a token', async () => {
  const { routes } = await api.routes.list({});
  const ours = routes.filter(({ url }) => url.startsWith('/scim/v2'));
  expect(ours.length).toBeGreaterThan(20);
  for (const { method, url, guard } of ours) {
    const answer = await fetch(`${peta.url}${url.replace(':id', 'x')}`, { method });
    expect([guard, answer.status], `${method} ${url}`).toEqual(['token', 401]);
    expect(await answer.json()).toMatchObject({ status: '401' });
  }
});

test('two workspaces never mix', async () => {
  const { setupLink } = await api.workspaces.create({ workspaceId: 'acme' });
  const acme = await becomeOwner({ ...peta, setupLink });
  const theirs = createDirectory(peta.url, acme.token);
  const person = { schemas: [USER], userName: 'same@example.com', externalId: 'same' };
  const here = (await ask('POST', '/Users', person)).json;
  const there = await theirs('POST', '/Users', person);
  expect(there.status).toBe(201);
  const group = (await theirs('POST', '/Groups', { schemas: [GROUP], displayName: 'Same' })).json;
  expect((await ask('POST', '/Groups', { schemas: [GROUP], displayName: 'Same' })).status).toBe(201);

  expect((await theirs('GET', '/Users')).json.totalResults).toBe(2);
  const found = (await ask('GET', '/Users?filter=userName+eq+"same@example.com"')).json;
  expect(found.Resources.map(({ id }: { id: string }) => id)).toEqual([here.id]);
  const off = patchOf({ op: 'replace', path: 'active', value: false });
  for (const [method, body] of [['GET'], ['DELETE'], ['PATCH', off], ['PUT', person]] as const) {
    expect((await ask(method, `/Users/${there.json.id}`, body)).status, method).toBe(404);
    expect((await theirs(method, `/Users/${here.id}`, body)).status, method).toBe(404);
  }
  const join = patchOf({ op: 'add', path: 'members', value: [{ value: here.id }] });
  expect((await theirs('PATCH', `/Groups/${group.id}`, join)).json).toMatchObject({ scimType: 'invalidValue' });
  expect((await ask('GET', `/Users/${here.id}`)).json.active).toBe(true);
  expect((await theirs('GET', `/Users/${there.json.id}`)).json.active).toBe(true);
  const { records } = await acme.api.audit.list({ limit: 200 });
  const done = records.filter(({ outcome }) => outcome === 'done');
  expect(JSON.stringify(done)).not.toContain(here.id);
  expect(done.some(({ operation, name }) => operation === 'scim.users.create' && name === there.json.id)).toBe(true);
});

test('every change is in the log, with who made it and what was before', async () => {
  const { json } = await ask('POST', '/Users', {
    schemas: [USER],
    userName: 'logged@example.com',
    password: 'hunter2-x',
  });
  await ask('PATCH', `/Users/${json.id}`, patchOf({ op: 'replace', path: 'title', value: 'Chief' }));
  await ask('PATCH', `/Users/${json.id}`, patchOf({ op: 'remove', path: 'userName' }));
  const { records } = await api.audit.list({ limit: 50 });
  const ours = records.filter(({ name }) => name === json.id);
  expect(ours.map(({ operation, outcome, userId }) => `${operation} ${outcome} ${userId}`).sort()).toEqual([
    'scim.users.create done directory',
    'scim.users.patch done directory',
    'scim.users.patch refused directory',
  ]);
  const patched = ours.find(({ operation, outcome }) => operation === 'scim.users.patch' && outcome === 'done');
  expect(patched?.arguments).toMatchObject({ before: { active: true }, after: { title: 'Chief' } });
  expect(JSON.stringify(records)).not.toContain('hunter2');
});

test('many people are provisioned one after the other, and listed in pages', async () => {
  const PEOPLE = 500;
  const AT_ONCE = 10;
  const began = performance.now();
  for (let at = 0; at < PEOPLE; at += AT_ONCE)
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, next) => {
        const name = `person-${String(at + next).padStart(5, '0')}`;
        const body = { schemas: [USER], userName: `${name}@big.example`, externalId: name };
        expect((await ask('POST', '/Users', body)).status).toBe(201);
      }),
    );
  console.log(`${PEOPLE} people were provisioned in ${Math.round(performance.now() - began)} ms`);
  const seen = new Set<string>();
  for (let startIndex = 1; startIndex <= PEOPLE; startIndex += 100) {
    const asked = performance.now();
    const { json } = await ask('GET', `/Users?filter=userName+ew+"@big.example"&startIndex=${startIndex}&count=100`);
    expect(performance.now() - asked).toBeLessThan(LIMIT_MS);
    expect(json).toMatchObject({ totalResults: PEOPLE, itemsPerPage: 100, startIndex });
    for (const { id } of json.Resources as { id: string }[]) seen.add(id);
  }
  expect(seen.size).toBe(PEOPLE);
});
