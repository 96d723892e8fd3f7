import { afterAll, beforeAll, expect, test } from 'vitest';
import { patchOf, USER } from '../../../../e2e/harness/scim.ts';
import { createTestScim } from '../../build/test-scim.ts';
import { createTestDatabase } from '../../db/test-database.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let scim: Awaited<ReturnType<typeof createTestScim>>;
beforeAll(async () => {
  database = await createTestDatabase();
  scim = await createTestScim(database.db);
  await scim.addPerson('default', 'owner', 1);
});
afterAll(async () => {
  await scim.app.close();
  await database.drop();
});

test('what the service can do is told (RFC 7644 section 4)', async () => {
  const config = await scim.ask('owner', 'GET', '/ServiceProviderConfig');
  expect(config.json).toMatchObject({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: { supported: false },
    filter: { supported: true, maxResults: 500 },
    etag: { supported: true },
    sort: { supported: true },
    authenticationSchemes: [{ type: 'oauthbearertoken' }],
  });
  const types = await scim.ask('owner', 'GET', '/ResourceTypes');
  expect(types.json).toMatchObject({
    totalResults: 2,
    Resources: [{ id: 'User', endpoint: '/Users' }, { id: 'Group' }],
  });
  expect((await scim.ask('owner', 'GET', '/ResourceTypes/Group')).json).toMatchObject({ endpoint: '/Groups' });
  const { json } = await scim.ask('owner', 'GET', `/Schemas/${USER}`);
  const userName = json.attributes.find(({ name }) => name === 'userName');
  expect(userName).toMatchObject({ type: 'string', required: true, uniqueness: 'server', caseExact: false });
  expect((await scim.ask('owner', 'GET', '/Schemas')).json.totalResults).toBe(2);
  expect((await scim.ask('owner', 'GET', '/Schemas/urn:none')).status).toBe(404);
  expect((await scim.ask('owner', 'GET', '/Schemas?filter=id+pr')).status).toBe(403);
});

test('what is not served is refused in the words of SCIM', async () => {
  for (const [method, path, status] of [
    ['GET', '/Me', 501],
    ['POST', '/Bulk', 501],
    ['POST', '/.search', 501],
    ['GET', '/Devices', 404],
    ['DELETE', '/Users', 404],
    ['GET', '/Users/no-such-user', 404],
    ['GET', '/Users/%00', 404],
    ['GET', `/Users/${'x'.repeat(90)}`, 404],
  ] as const)
    expect((await scim.ask('owner', method, path)).json, path).toMatchObject({ status: String(status) });
});

test('a body is read as SCIM or JSON and as nothing else, once, and up to a size', async () => {
  const body = { schemas: [USER], userName: 'typed' };
  const types = ['application/json', 'application/scim+json; charset=utf-8', 'text/plain', 'application/xml'];
  const statuses: number[] = [];
  for (const type of types) {
    const asked = await scim.ask('owner', 'POST', '/Users', { ...body, userName: type }, { 'content-type': type });
    statuses.push(asked.status);
  }
  expect(statuses).toEqual([201, 201, 415, 415]);
  const twice = `{"schemas":["${USER}"],"userName":"a","userName":"b"}`;
  expect((await scim.ask('owner', 'POST', '/Users', twice)).json).toMatchObject({ scimType: 'invalidSyntax' });
  const cases = `{"schemas":["${USER}"],"userName":"a","USERNAME":"b"}`;
  expect((await scim.ask('owner', 'POST', '/Users', cases)).json).toMatchObject({ scimType: 'invalidSyntax' });
  const large = await scim.ask('owner', 'POST', '/Users', { ...body, title: 'x'.repeat(5_000_000) });
  expect(large.json).toMatchObject({ status: '413' });
  const deep = `{"schemas":["${USER}"],"userName":${'['.repeat(100_000)}`;
  expect((await scim.ask('owner', 'POST', '/Users', deep)).json).toMatchObject({ scimType: 'invalidSyntax' });
  expect((await scim.ask('owner', 'PATCH', '/Users/x', patchOf())).json).toMatchObject({ status: '404' });
  expect(scim.seen.faults).toEqual([]);
});

test('a write that asks to be shown wrongly is not done', async () => {
  const path = '/Users?attributes=id&excludedAttributes=meta';
  expect((await scim.ask('owner', 'POST', path, { schemas: [USER], userName: 'unmade' })).status).toBe(400);
  expect((await scim.ask('owner', 'GET', '/Users?filter=userName+eq+"unmade"')).json.totalResults).toBe(0);
});
