import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '#db';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
let owner: string;
let administrator: string;
let user: string;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
  owner = (await admin.addPerson('olga', 1)).token;
  administrator = (await admin.addPerson('adam', 2)).token;
  user = (await admin.addPerson('uma', 3)).token;
  await admin.addPerson('bot', 3);
});
afterAll(() => database.drop());

const allow = async (userId: string, clientId: string): Promise<string> => {
  const grantId = randomUUID();
  await database.db.insert(schema.oauthRecords).values({
    ...{ model: 'Grant', hash: grantId, grantId, workspaceId: 'default', userId, clientId },
    payload: { resources: { 'https://peta.test/mcp': 'mcp:tools' } },
    expiresAt: new Date(Date.now() + 60_000),
  });
  return grantId;
};

test('a client for an agent has a secret, shown once and kept sealed', async () => {
  const body = { name: 'Nightly', userId: 'bot', scopes: ['mcp:tools'], endpoints: ['/mcp'] };
  const made = await admin.rest('POST', '/oauth/clients', { token: administrator, body });
  expect(made).toMatchObject({
    status: 200,
    json: {
      client: { name: 'Nightly', userId: 'bot', scopes: ['mcp:tools'], endpoints: ['/mcp'], hasSecret: true },
      secret: expect.stringMatching(/^petaclient_/),
    },
  });
  const { secret, client } = made.json as { secret: string; client: { clientId: string } };
  const listed = await admin.rest('GET', '/oauth/clients', { token: administrator });
  expect(listed.text).toContain(client.clientId);
  expect(listed.text).not.toContain(secret);
  const stored = await database.db.$client.query('select * from oauth_client where id = $1', [client.clientId]);
  expect(JSON.stringify(stored.rows)).not.toContain(secret);
  expect(JSON.stringify(admin.seen.changes)).not.toContain(secret);
});

test('whoever acts for somebody of their own rank or above is made by the owner alone', async () => {
  for (const userId of ['adam', 'olga'])
    expect(
      (await admin.rest('POST', '/oauth/clients', { token: administrator, body: { name: 'x', userId } })).status,
    ).toBe(403);
  const body = { name: 'x', userId: 'adam' };
  expect((await admin.rest('POST', '/oauth/clients', { token: owner, body })).status).toBe(200);
});

test.each([
  ['with neither a user nor an address to send people back to', { name: 'x' }, 400],
  ['of somebody who is not there', { name: 'x', userId: 'nobody' }, 404],
  ['with an address that is not allowed', { name: 'x', redirectUris: ['http://evil.example'] }, 400],
  ['with credentials and no secret', { name: 'x', userId: 'bot', authMethod: 'none' }, 400],
  ['for another address than an endpoint', { name: 'x', userId: 'bot', endpoints: ['/admin'] }, 400],
])('a client %s is not made', async (_what, body, status) => {
  expect((await admin.rest('POST', '/oauth/clients', { token: owner, body })).status).toBe(status);
});

test('narrowing a client, and removing it, ends what it had', async () => {
  const body = { name: 'Other', userId: 'bot' };
  const made = await admin.rest('POST', '/oauth/clients', { token: owner, body });
  const { clientId } = made.json.client as { clientId: string };
  const path = `/oauth/clients/${clientId}`;
  const narrowed = await admin.rest('PATCH', path, { token: owner, body: { scopes: ['mcp:prompts'] } });
  expect(narrowed.json).toMatchObject({ client: { scopes: ['mcp:prompts'], name: 'Other' } });
  expect(admin.seen.ended).toEqual([clientId]);
  expect((await admin.rest('DELETE', path, { token: owner })).status).toBe(200);
  expect(admin.seen.ended).toEqual([clientId, clientId]);
  expect((await admin.rest('DELETE', path, { token: owner })).status).toBe(404);
});

test('people see and take back what they allowed themselves; administrators everything', async () => {
  const own = await allow('uma', 'some-client');
  const others = await allow('bot', 'some-client');
  const seen = await admin.rest('GET', '/oauth/consents', { token: user });
  expect(seen.json).toMatchObject({
    consents: [{ consentId: own, userId: 'uma', scopes: ['mcp:tools'], resources: ['https://peta.test/mcp'] }],
  });
  expect((await admin.rest('GET', '/oauth/consents?userId=bot', { token: user })).status).toBe(403);
  expect((await admin.rest('DELETE', `/oauth/consents/${others}`, { token: user })).status).toBe(404);
  expect((await admin.rest('DELETE', `/oauth/consents/${own}`, { token: user })).status).toBe(200);
  expect((await admin.rest('DELETE', `/oauth/consents/${others}`, { token: administrator })).status).toBe(200);
  expect(admin.seen.ended.slice(-2)).toEqual([own, others]);
});

test('a self-registered client is listed once somebody here allowed it, and not changed', async () => {
  const clientId = randomUUID();
  await database.db.insert(schema.oauthClients).values({ id: clientId, metadata: { client_name: 'Self' } });
  const list = async () => (await admin.rest('GET', '/oauth/clients', { token: administrator })).text;
  expect(await list()).not.toContain(clientId);
  await allow('uma', clientId);
  expect(await list()).toContain(clientId);
  const body = { name: 'Mine' };
  expect((await admin.rest('PATCH', `/oauth/clients/${clientId}`, { token: owner, body })).status).toBe(400);
});
