import { auth, type OAuthClientProvider } from '@modelcontextprotocol/client';
import * as client from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorize, createBrowser, REDIRECT, startWorld, type World } from './test-oauth.ts';
import { createTestClient } from './test-oauth-client.ts';

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

test('the official MCP client finds its way from the bare address', async () => {
  const kept: Record<string, unknown> = {};
  let sentTo: URL | undefined;
  const provider = {
    redirectUrl: REDIRECT,
    clientMetadata: { ...METADATA, client_name: 'MCP client' },
    clientInformation: () => kept.client,
    saveClientInformation: (value: unknown) => void Object.assign(kept, { client: value }),
    tokens: () => kept.tokens,
    saveTokens: (value: unknown) => void Object.assign(kept, { tokens: value }),
    redirectToAuthorization(url: URL) {
      sentTo = url;
    },
    saveCodeVerifier: (value: string) => void Object.assign(kept, { verifier: value }),
    codeVerifier: () => String(kept.verifier),
    saveDiscoveryState: (value: unknown) => void Object.assign(kept, { discovery: value }),
    discoveryState: () => kept.discovery,
  } as unknown as OAuthClientProvider;
  expect(await auth(provider, { serverUrl: world.mcp })).toBe('REDIRECT');
  const { location } = await authorize(createBrowser(world.base, 'bob'), world.base, sentTo?.href ?? '');
  const authorizationCode = location?.searchParams.get('code') ?? '';
  const iss = location?.searchParams.get('iss') ?? '';
  expect(await auth(provider, { serverUrl: world.mcp, authorizationCode, iss })).toBe('AUTHORIZED');
  const tokens = kept.tokens as { access_token: string };
  expect(await world.tokens.byBearer(tokens.access_token)).toMatchObject({
    ...{ userId: 'bob', audience: '/mcp' },
    scope: { kinds: ['tool', 'resource', 'prompt'] },
  });
  expect(await auth(provider, { serverUrl: world.mcp })).toBe('AUTHORIZED');
  expect((kept.tokens as { access_token: string }).access_token).not.toBe(tokens.access_token);
});

test('whoever acts for somebody is named in what they were given', async () => {
  const { secret } = await world.serviceToken('agent');
  const subject = await world.serviceToken('ann');
  const TYPE = 'urn:ietf:params:oauth:token-type:access_token';
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    ...{ subject_token: subject.secret, subject_token_type: TYPE, actor_token: secret, actor_token_type: TYPE },
  });
  const answer = await fetch(`${world.base}/token`, { method: 'POST', body });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  expect(await world.tokens.verified(token)).toMatchObject({ sub: 'default:ann', act: { sub: 'default:agent' } });
  expect(await world.tokens.byBearer(token)).toMatchObject({ userId: 'ann', tokenId: subject.id });
});

test('what happened is written down, without anything that could be used', async () => {
  const operations = new Set(world.noted.map(({ operation }) => operation));
  for (const one of ['oauth.register', 'oauth.consent', 'oauth.token']) expect(operations).toContain(one);
  const text = JSON.stringify(world.noted);
  expect(text).toContain('"scopes":["mcp:tools"]');
  expect(text).not.toMatch(/eyJ|peta_[\w-]{20}|code_verifier/);
});

test('behind a proxy everything is said of the public address, its path included', async () => {
  const own = await startWorld({ env: { PETA_PUBLIC_URL: 'https://peta.test/base/' } });
  try {
    const get = (path: string) =>
      fetch(`${own.base}${path}`, {
        headers: { 'x-person': 'ann', 'x-forwarded-host': 'evil.example' },
        redirect: 'manual',
      });
    for (const path of ['', '/base']) {
      const metadata = await (await get(`/.well-known/oauth-authorization-server${path}`)).json();
      expect(metadata).toMatchObject({
        issuer: 'https://peta.test/base',
        token_endpoint: 'https://peta.test/base/oauth/token',
      });
    }
    expect(await (await get('/.well-known/oauth-protected-resource/base/mcp')).json()).toMatchObject({
      resource: 'https://peta.test/base/mcp',
      authorization_servers: ['https://peta.test/base'],
    });
    const { register, address } = createTestClient(own);
    const asked = await get(address(await register(), { resource: 'https://peta.test/base/mcp' }));
    expect(asked.headers.get('location')).toMatch(/^\/base\/oauth\/interaction\//);
    const cookies = asked.headers.getSetCookie();
    for (const cookie of cookies)
      for (const attribute of [/; secure/i, /; httponly/i, /; samesite=lax/i]) expect(cookie).toMatch(attribute);
    expect(cookies.join()).toContain('path=/base/oauth/interaction/');
  } finally {
    await own.close();
  }
});
