import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
let owner: string;
let administrator: string;

const ask = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object, token = administrator) =>
  admin.rest(method, path, { token, body });
const create = (environmentId = 'staging') => ask('POST', '/environments', { environmentId, name: 'Staging' });
const launchConfig = { type: 'stdio', command: 'node' };

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
  owner = (await admin.addPerson('owner', 1)).token;
  administrator = (await admin.addPerson('administrator', 2)).token;
});
afterAll(() => database.drop());
afterEach(() => database.db.$client.query('delete from server; delete from environment'));

test('an administrator makes and renames environments, and sees which servers belong to each', async () => {
  const { json } = await create();
  expect(json.environment).toMatchObject({ environmentId: 'staging', name: 'Staging', servers: [] });
  expect((await create()).json).toMatchObject({ code: 'ENVIRONMENT_EXISTS' });
  const made = await ask('POST', '/servers', { serverId: 'notes', launchConfig, environment: 'staging' }, owner);
  expect(made.json.server).toMatchObject({ environment: 'staging' });
  await ask('POST', '/servers', { serverId: 'files', launchConfig }, owner);
  expect((await ask('PATCH', '/environments/staging', { name: 'Test' })).json.environment).toMatchObject({
    name: 'Test',
  });
  expect((await ask('GET', '/environments')).json.environments).toMatchObject([
    { environmentId: 'staging', name: 'Test', servers: ['notes'] },
  ]);
});

test('a server belongs to all of them unless it is told to which, and to none that is not there', async () => {
  await create();
  await ask('POST', '/servers', { serverId: 'notes', launchConfig }, owner);
  const change = async (environment: string | null) =>
    (await ask('PATCH', '/servers/notes', { environment }, owner)).json;
  expect((await ask('GET', '/servers/notes')).json.server).toMatchObject({ environment: null });
  expect((await change('staging')).server).toMatchObject({ environment: 'staging' });
  expect((await change('nowhere')).message).toBe('environment: there is no environment with the id "nowhere".');
  expect((await change(null)).server).toMatchObject({ environment: null });
  const { status } = await ask('POST', '/servers', { serverId: 'x', launchConfig, environment: 'nowhere' }, owner);
  expect(status).toBe(400);
});

test('one that servers belong to is not removed, and they are named', async () => {
  await create();
  for (const serverId of ['notes', 'files'])
    await ask('POST', '/servers', { serverId, launchConfig, environment: 'staging' }, owner);
  const { status, json } = await ask('DELETE', '/environments/staging');
  expect([status, json.code]).toEqual([409, 'ENVIRONMENT_IN_USE']);
  expect(json.message).toContain('These servers belong to staging: files, notes.');
  for (const serverId of ['notes', 'files']) await ask('PATCH', `/servers/${serverId}`, { environment: null }, owner);
  expect((await ask('DELETE', '/environments/staging')).status).toBe(200);
  expect((await ask('DELETE', '/environments/staging')).json).toMatchObject({ code: 'ENVIRONMENT_NOT_FOUND' });
});

test('a user has no say in environments', async () => {
  const { token } = await admin.addPerson('user', 3);
  expect((await ask('GET', '/environments', undefined, token)).status).toBe(403);
});
