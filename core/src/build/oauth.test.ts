import * as client from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorize, createBrowser, REDIRECT, startWorld, type World } from './test-oauth.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const execute = { execute: [client.allowInsecureRequests], algorithm: 'oauth2' as const };
const METADATA = {
  client_name: 'Test client',
  redirect_uris: [REDIRECT],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

test('a strict client registers, is allowed, gets tokens, and refreshes them', async () => {
  const config = await client.dynamicClientRegistration(new URL(world.base), METADATA, client.None(), execute);
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: 'mcp:tools',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    resource: world.mcp,
    state,
  });
  const browser = createBrowser(world.base, 'ann');
  const { location, pages, page } = await authorize(browser, world.base, address.href);
  expect(page).toBe('');
  expect(pages).toBe(1);
  const tokens = await client.authorizationCodeGrant(config, location ?? new URL('x:'), {
    pkceCodeVerifier: verifier,
    expectedState: state,
  });
  expect(tokens.expires_in).toBe(900);
  const row = await world.tokens.byBearer(tokens.access_token);
  expect(row).toMatchObject({ userId: 'ann', audience: '/mcp', scope: { endpoints: ['/mcp'], kinds: ['tool'] } });
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
  expect(await world.tokens.byBearer(next.access_token)).toMatchObject({ userId: 'ann' });
});
