import { createHash, createHmac, createPublicKey, randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '../db/db.ts';
import { hashToken } from '../lib/token.ts';
import { startWorld, type World } from './test-oauth.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

type Changes = { claims?: Record<string, unknown>; header?: object; isRecorded?: boolean };

/** A token as we issue them, and as somebody who had the key could change it. */
const sign = async ({ claims = {}, header = {}, isRecorded = true }: Changes = {}) => {
  const [key] = world.keys.all();
  const grantId = randomUUID();
  const jti = randomUUID();
  const now = Math.floor(Date.now() / 1000);
  const expiresAt = new Date(Date.now() + 900_000);
  const shared = { workspaceId: 'default', userId: 'ann', clientId: 'c', grantId, expiresAt, payload: {} };
  if (isRecorded)
    await world.db.insert(schema.oauthRecords).values([
      { ...shared, model: 'Grant', hash: hashToken(grantId) },
      { ...shared, model: 'AccessToken', hash: hashToken(jti) },
    ]);
  const payload = {
    ...{ iss: world.base, aud: world.mcp, sub: 'default:ann', client_id: 'c', scope: 'mcp:tools', jti },
    ...{ iat: now, exp: now + 900, ...claims },
  };
  const kept = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
  const token = await new SignJWT(kept)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key?.kid ?? '', ...header })
    .sign(await importJWK(key?.jwk ?? {}, 'ES256'));
  return { token, grantId, payload: kept };
};
const seconds = (offset: number) => Math.floor(Date.now() / 1000) + offset;
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a token that we signed leads to its person', async () => {
  const { token, grantId } = await sign();
  expect(await world.tokens.byBearer(token)).toMatchObject({
    ...{ userId: 'ann', workspaceId: 'default', tokenId: `oauth_${grantId}`, audience: '/mcp' },
    scope: { endpoints: ['/mcp'], kinds: ['tool'] },
  });
});

test.each<[string, Changes]>([
  ['for another server', { claims: { aud: 'https://evil.example/mcp' } }],
  ['for several', { claims: { aud: ['https://evil.example/mcp', 'http://127.0.0.1/mcp'] } }],
  ['for nobody', { claims: { aud: undefined } }],
  ['of another issuer', { claims: { iss: 'https://evil.example' } }],
  ['of no issuer', { claims: { iss: undefined } }],
  ['that is an id token', { header: { typ: 'JWT' } }],
  ['of no type', { header: { typ: undefined } }],
  ['that has ended', { claims: { exp: seconds(-30) } }],
  ['that never ends', { claims: { exp: undefined } }],
  ['that is not good yet', { claims: { nbf: seconds(60) } }],
  ['without an id', { claims: { jti: undefined } }],
  ['of no client', { claims: { client_id: undefined } }],
  ['signed with a key that is not ours', { header: { kid: 'other' } }],
  ['that we did not issue, or revoked', { isRecorded: false }],
])('a token %s is none', async (_what, changes) => {
  const { token } = await sign(changes);
  expect(await world.tokens.byBearer(token)).toBeUndefined();
});

test('clocks may differ by seconds, not more', async () => {
  expect(await world.tokens.byBearer((await sign({ claims: { exp: seconds(-2) } })).token)).toBeDefined();
  expect(await world.tokens.byBearer((await sign({ claims: { exp: seconds(-7) } })).token)).toBeUndefined();
});

test('a token without a signature, or signed with our public key as a secret, is none', async () => {
  const { payload } = await sign();
  const [key] = world.keys.all();
  const { d: _d, ...publicJwk } = key?.jwk ?? {};
  const pem = createPublicKey({ key: publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const none = `${encoded({ alg: 'none', typ: 'at+jwt', kid: key?.kid })}.${encoded(payload)}.`;
  expect(await world.tokens.byBearer(none)).toBeUndefined();
  expect(await world.tokens.byBearer(`${none}AA`)).toBeUndefined();
  for (const secret of [pem, JSON.stringify(publicJwk), createHash('sha256').update(pem).digest()]) {
    const head = `${encoded({ alg: 'HS256', typ: 'at+jwt', kid: key?.kid })}.${encoded(payload)}`;
    const signature = createHmac('sha256', secret).update(head).digest('base64url');
    expect(await world.tokens.byBearer(`${head}.${signature}`)).toBeUndefined();
  }
});

test('what the token carries as its own key is not asked', async () => {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const { payload } = await sign();
  const jwk = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' };
  const kid = world.keys.all()[0]?.kid ?? '';
  const token = await new SignJWT(payload)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid, jwk, jku: 'https://evil.example/jwks' })
    .sign(privateKey);
  expect(await world.tokens.byBearer(token)).toBeUndefined();
});

test('the keys are exchanged without breaking live tokens, and every replica agrees', async () => {
  const before = await sign();
  const replica = await world.replica();
  const first = world.keys.all()[0]?.kid;
  await Promise.all([world.keys.rotate(), replica.identity.keys.rotate()]);
  await world.keys.refresh();
  const kids = world.keys.all().map(({ kid }) => kid);
  expect(kids[0]).not.toBe(first);
  expect(kids).toContain(first);
  expect(await world.tokens.byBearer(before.token)).toBeDefined();
  const after = await sign();
  expect(await world.tokens.byBearer(after.token)).toBeDefined();
  await new Promise((done) => setTimeout(done, 2_100));
  expect(await replica.identity.accessTokens.byBearer(after.token)).toBeDefined();
  const jwks = (await (await fetch(`${replica.url}/oauth/jwks`)).json()) as { keys: { kid: string }[] };
  expect(jwks.keys.map(({ kid }) => kid).sort()).toEqual([...kids].sort());
  const { rows } = await world.db.$client.query('select sealed_key from signing_key where retired_at is null');
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain('"d"');
});

test('replicas that start at the same moment make one key', async () => {
  const fresh = await startWorld();
  try {
    await fresh.db.$client.query('delete from signing_key');
    const replicas = await Promise.all([fresh.replica(), fresh.replica(), fresh.replica()]);
    const kids = new Set(replicas.map(({ identity }) => identity.keys.all()[0]?.kid));
    expect(kids.size).toBe(1);
  } finally {
    await fresh.close();
  }
});
