import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
let token: string;

const ask = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) =>
  admin.rest(method, path, { token, body });
const query = (sql: string) => database.db.$client.query(sql);

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
  token = (await admin.addPerson('owner', 1)).token;
  await query(`insert into team (workspace_id, id, name) values ('default', 'backend', 'Backend')`);
  await query(`insert into role (workspace_id, id, name, operations) values ('default', 'support', 'Support', '[]')`);
});
afterAll(() => database.drop());
beforeEach(() => {
  admin.seen.changes.length = 0;
});
afterEach(() => query('delete from identity_provider'));

const settings = { issuer: 'https://login.example.com', clientId: 'peta' };
const create = (body: object = {}) =>
  ask('POST', '/identity-providers', { providerId: 'company', kind: 'oidc', settings, ...body });

test('the owner adds an OpenID provider; its secret is sealed, and never given back or written down', async () => {
  const { status, json, text } = await create({ secret: 'hush-hush', name: 'Company' });
  expect(status).toBe(200);
  expect(json.provider).toMatchObject({
    providerId: 'company',
    kind: 'oidc',
    enabled: true,
    hasSecret: true,
    settings: { ...settings, scopes: ['openid', 'email', 'profile'], requireVerifiedEmail: true },
    mapping: { groups: [], defaultRole: null, createUsers: true, allowedDomains: [], linkByEmail: false },
    addresses: {
      signIn: 'http://127.0.0.1:3002/sign-in/sso/default/company',
      callback: 'http://127.0.0.1:3002/sign-in/sso/default/company/callback',
      metadata: null,
    },
  });
  const { rows } = await query('select * from identity_provider');
  for (const seen of [text, JSON.stringify(admin.seen.changes), JSON.stringify(rows)])
    expect(seen).not.toContain('hush-hush');
  expect([...admin.seen.sealed.values()]).toContain('hush-hush');
  expect(admin.seen.changes).toMatchObject([
    { operation: 'identityProviders.create', target: 'company', outcome: 'done' },
  ]);
  expect((await ask('GET', '/identity-providers')).json).toEqual({ providers: [json.provider] });
});

test('a SAML provider is read from its metadata', async () => {
  const { json } = await create({ kind: 'saml', settings: { metadata: '<xml/>', groupsAttribute: 'memberOf' } });
  expect(json.provider).toMatchObject({
    kind: 'saml',
    settings: { entryPoint: 'https://idp.example/sso', groupsAttribute: 'memberOf', idpInitiated: false },
    addresses: {
      callback: 'http://127.0.0.1:3002/sign-in/sso/default/company/acs',
      metadata: 'http://127.0.0.1:3002/sign-in/sso/default/company/metadata',
    },
  });
});

const saml = { entryPoint: 'https://idp.example/sso', idpIssuer: 'idp', certificates: ['good'] };

test.each<[string, object, string]>([
  [
    'an issuer in clear',
    { settings: { ...settings, issuer: 'http://login.example.com' } },
    'settings.issuer: an https',
  ],
  [
    'an issuer that evades its check',
    { settings: { ...settings, issuer: 'https://a.example/.well-known/x' } },
    'well-known',
  ],
  ['scopes without openid', { settings: { ...settings, scopes: ['email'] } }, 'must hold openid'],
  ['a setting it does not know', { settings: { ...settings, secret: 'x' } }, 'settings'],
  ['settings of the other kind', { settings: saml }, 'settings'],
  [
    'a certificate that cannot be read',
    { kind: 'saml', settings: { ...saml, certificates: ['bad'] } },
    'cannot be read',
  ],
  ['no metadata', { kind: 'saml', settings: { metadata: 'nonsense' } }, 'settings.metadata: is no XML'],
  ['a secret of a SAML provider', { kind: 'saml', settings: saml, secret: 'x' }, 'has none'],
  ["the owner's role by a group", { mapping: { groups: [{ group: 'bosses', role: 1 }] } }, 'mapping'],
  ["the owner's role for all", { mapping: { defaultRole: 1 } }, 'mapping'],
  ['a role that is not there', { mapping: { defaultRole: 'ghost' } }, 'no role with the id "ghost"'],
  [
    'a team that is not there',
    { mapping: { groups: [{ group: 'a', teams: ['backend', 'ghosts'] }] } },
    'team with the id "ghosts"',
  ],
  ['linking by any address', { mapping: { linkByEmail: true } }, 'allowedDomains'],
])('%s is refused with a sentence, and nothing is stored', async (_what, body, sentence) => {
  const { status, json } = await create(body);
  expect([status, json.message]).toEqual([400, expect.stringContaining(sentence)]);
  expect((await ask('GET', '/identity-providers')).json).toEqual({ providers: [] });
});

test('a change leaves the rest as it was', async () => {
  const mapping = { groups: [{ group: 'eng', role: 'support', teams: ['backend'] }], defaultRole: 'auditor' };
  await create({ secret: 'hush', mapping });
  const { json } = await ask('PATCH', '/identity-providers/company', {
    enabled: false,
    settings: { groupsClaim: 'roles' },
    mapping: { createUsers: false },
  });
  expect(json.provider).toMatchObject({
    enabled: false,
    hasSecret: true,
    settings: { ...settings, groupsClaim: 'roles' },
    mapping: { ...mapping, createUsers: false },
  });
  expect(admin.seen.changes.at(-1)).toMatchObject({ details: { before: { enabled: true } } });
});

test('a secret does not go on to another issuer, and who people were at the old one is forgotten', async () => {
  await create({ secret: 'hush' });
  await query(
    `insert into external_identity (workspace_id, user_id, provider_id, subject) values ('default', 'owner', 'company', '1')`,
  );
  const moved = { settings: { issuer: 'https://evil.example' } };
  expect((await ask('PATCH', '/identity-providers/company', moved)).json.message).toContain('another issuer');
  expect((await query('select 1 from external_identity')).rowCount).toBe(1);
  expect((await ask('PATCH', '/identity-providers/company', { ...moved, secret: 'new' })).status).toBe(200);
  expect((await query('select 1 from external_identity')).rowCount).toBe(0);
});

test('a test says what is missing', async () => {
  await create();
  const { json } = await ask('POST', '/identity-providers/company/test');
  expect(json).toEqual({
    ok: false,
    checks: [
      { ok: true, message: 'It answers.' },
      { ok: false, message: expect.stringContaining('Nobody is let in yet') },
    ],
  });
});

test('what is not there cannot be read, changed, tested or removed; an id is taken once', async () => {
  await create();
  expect((await create()).json).toMatchObject({ code: 'PROVIDER_EXISTS' });
  expect((await ask('DELETE', '/identity-providers/company')).status).toBe(200);
  for (const answer of [
    await ask('GET', '/identity-providers/company'),
    await ask('PATCH', '/identity-providers/company', { enabled: true }),
    await ask('POST', '/identity-providers/company/test', {}),
    await ask('DELETE', '/identity-providers/company'),
  ])
    expect(answer).toMatchObject({ status: 404, json: { code: 'PROVIDER_NOT_FOUND' } });
});
