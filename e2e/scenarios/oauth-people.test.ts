import type { Client as Api } from '@peta/api';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eras, textOf } from '../harness/clients.ts';
import { registerFixture } from '../harness/fixtures.ts';
import { discover } from '../harness/oauth.ts';
import { authorize, type Browser, createBrowser, hasSignIn, signIn } from '../harness/oauth-browser.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, initialize } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Api;
let browser: Browser;
let canSignIn: boolean;

const REDIRECT = 'http://127.0.0.1:4711/callback';
const METADATA = {
  client_name: 'A strict client',
  redirect_uris: [REDIRECT],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

beforeAll(async () => {
  peta = await startPeta();
  ({ api } = await becomeOwner(peta));
  canSignIn = await hasSignIn(peta.url);
  if (!canSignIn) return;
  await registerFixture(api, 'fast');
  await api.users.create({ userId: 'ann', name: 'Ann', permissions: { fast: { enabled: true } } });
  browser = createBrowser(peta.url);
  await signIn(browser, { userId: 'ann', password: 'correct horse battery staple' });
});
afterAll(cleanUp);
beforeEach(({ skip }) => skip(!canSignIn, 'people cannot sign in to this Peta'));

/** Everything a strict client does from the bare address to its tokens. */
const connect = async () => {
  const { server, described } = await discover(peta.mcpUrl);
  const config = await client.dynamicClientRegistration(new URL(server.issuer), METADATA, client.None(), {
    ...{ execute: [client.allowInsecureRequests], algorithm: 'oauth2' },
  });
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const address = client.buildAuthorizationUrl(config, {
    ...{ redirect_uri: REDIRECT, scope: 'mcp:tools', resource: described.resource, state },
    ...{ code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
  });
  const { location, pages } = await authorize(browser, peta.url, address.href);
  expect(pages).toBe(1);
  const checks = { pkceCodeVerifier: verifier, expectedState: state };
  return { config, tokens: await client.authorizationCodeGrant(config, location ?? new URL('x:'), checks) };
};

test.each(eras)('a client that a person allowed calls tools in their name, in %s', async (_era, open) => {
  const { tokens, config } = await connect();
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
  const mcp = await open(peta.mcpUrl, next.access_token);
  expect(textOf(await mcp.callTool({ name: 'fast__echo', arguments: { text: 'hello' } }))).toBe('hello');
  await mcp.close();
});

test('what a person takes back ends at once, streams that are open included', async () => {
  const { tokens } = await connect();
  const session = await initialize(peta.mcpUrl, tokens.access_token);
  const headers = { authorization: `Bearer ${tokens.access_token}`, 'mcp-session-id': session };
  const stream = await fetch(peta.mcpUrl, { headers: { ...headers, accept: 'text/event-stream' } });
  const ended = stream.text();
  const { consents } = await api.consents.list({ userId: 'ann' });
  await api.consents.revoke({ consentId: consents[0]?.consentId ?? '' });
  await expect(Promise.race([ended, new Promise((_, fail) => setTimeout(fail, 1_000))])).resolves.toBeTypeOf('string');
  await until(
    'the token ending',
    async () => (await callTool(peta.mcpUrl, tokens.access_token, 'fast__echo', { text: 'x' })).status === 401,
  );
});

test('a device is allowed by a person elsewhere', async () => {
  const { config } = await connect();
  const device = await client.initiateDeviceAuthorization(config, { scope: 'mcp:tools' });
  const xsrfOf = (page: string) => /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
  const xsrf = xsrfOf(await (await browser.go(device.verification_uri)).text());
  const fields = { xsrf, user_code: device.user_code };
  expect(await (await browser.submit('/oauth/device', fields)).text()).toContain(device.user_code);
  const confirmed = await browser.submit('/oauth/device', { ...fields, confirm: 'yes' });
  const next = confirmed.headers.get('location');
  const text = next === null ? await confirmed.text() : (await authorize(browser, peta.url, next)).text;
  expect(text).toContain('Connected');
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...device, interval: 1 });
  expect((await callTool(peta.mcpUrl, tokens.access_token, 'fast__echo', { text: 'x' })).status).toBe(200);
});
