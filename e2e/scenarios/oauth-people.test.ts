import { createClient } from '@peta/api';
import * as client from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage } from '../harness/chromium.ts';
import { connectModern, eras, textOf } from '../harness/clients.ts';
import { discover } from '../harness/oauth.ts';
import { startWithPerson, type WithPerson } from '../harness/oauth-browser.ts';
import { until } from '../harness/peta.ts';
import { callTool, initialize } from '../harness/raw.ts';

let world: WithPerson;
let peta: WithPerson['peta'];
let api: WithPerson['api'];
let browser: WithPerson['browser'];
let callback: WithPerson['callback'];
let ann: WithPerson['ann'];

beforeAll(async () => {
  world = await startWithPerson();
  ({ peta, api, browser, callback, ann } = world);
});
afterAll(async () => {
  await world?.close();
});

/** A strict client on its way from the bare address to the page where a person decides. */
const begin = async () => {
  const { server, described } = await discover(peta.mcpUrl);
  const metadata = {
    client_name: 'A strict client',
    redirect_uris: [callback.uri],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  const config = await client.dynamicClientRegistration(new URL(server.issuer), metadata, client.None(), {
    ...{ execute: [client.allowInsecureRequests], algorithm: 'oauth2' },
  });
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const address = client.buildAuthorizationUrl(config, {
    ...{ redirect_uri: callback.uri, scope: 'mcp:tools', resource: described.resource, state },
    ...{ code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
  });
  return { config, address: address.href, checks: { pkceCodeVerifier: verifier, expectedState: state } };
};

/** The same, allowed, to its tokens. */
const connect = async () => {
  const { config, address, checks } = await begin();
  const [asked, location] = await Promise.all([ann.answer(address), callback.answer()]);
  expect([asked, ann.complaints]).toEqual([1, []]);
  return { config, tokens: await client.authorizationCodeGrant(config, location, checks) };
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
  expect(consents[0]).toMatchObject({ userId: 'ann', clientName: 'A strict client', scopes: ['mcp:tools'] });
  const { clients } = await api.clients.list({});
  expect(clients).toContainEqual(expect.objectContaining({ clientId: consents[0]?.clientId, isSelfRegistered: true }));
  await api.consents.revoke({ consentId: consents[0]?.consentId ?? '' });
  await expect(Promise.race([ended, new Promise((_, fail) => setTimeout(fail, 1_000))])).resolves.toBeTypeOf('string');
  await until(
    'the token ending',
    async () => (await callTool(peta.mcpUrl, tokens.access_token, 'fast__echo', { text: 'x' })).status === 401,
  );
});

test('a person sees on their own page what they allowed, and takes it back there', async () => {
  const { tokens } = await connect();
  const { page } = ann;
  await page.goto(`${peta.url}/account`);
  const listed = page.locator('li', { hasText: 'A strict client' }).first();
  expect(await listed.textContent()).toContain('tools; allowed');
  await listed.getByRole('button', { name: 'Take back' }).click();
  await page.waitForURL(/done=program-ended/);
  expect(await page.textContent('main')).toContain('may not act for you any more');
  await until(
    'the token ending',
    async () => (await callTool(peta.mcpUrl, tokens.access_token, 'fast__echo', { text: 'x' })).status === 401,
  );
});

test('a person who says no is believed, and the client is told so', async () => {
  const { address } = await begin();
  const [, location] = await Promise.all([ann.answer(address, 'Deny'), callback.answer()]);
  expect(Object.fromEntries(location.searchParams)).toMatchObject({ error: 'access_denied', iss: peta.url });
  expect(location.searchParams.has('code')).toBe(false);
});

test('somebody who is not signed in signs in on the way', async () => {
  await ann.page.context().clearCookies();
  const { config, address, checks } = await begin();
  const [, location] = await Promise.all([ann.answer(address), callback.answer()]);
  expect(await client.authorizationCodeGrant(config, location, checks)).toHaveProperty('access_token');
});

test('a client of somebody in another workspace is led there by its person', async () => {
  const { setupLink } = await api.workspaces.create({ workspaceId: 'acme', name: 'Acme' });
  const secret = setupLink.split('#')[1] ?? '';
  const password = 'orbit lantern 42 pebble';
  const made = await createClient(peta.url).setup.complete({ secret, userId: 'ann', name: 'Ann of Acme', password });
  const { config, address, checks } = await begin();
  const { page, context } = await openPage(browser);
  await page.goto(address);
  await page.click('summary:has-text("Another workspace")');
  await page.fill('#workspace', 'acme');
  await page.click('text=Sign in there');
  await page.fill('#name', 'ann');
  await page.fill('#password', password);
  await page.click('form[method="post"][action="/sign-in"] button');
  const [location] = await Promise.all([callback.answer(), page.click('button[name="decision"]:has-text("Allow")')]);
  const tokens = await client.authorizationCodeGrant(config, location, checks);
  // Of what the first workspace has, nothing is there.
  const { consents } = await createClient(peta.url, { token: made.secret }).consents.list({});
  expect(consents).toMatchObject([{ userId: 'ann', clientName: 'A strict client' }]);
  const modern = await connectModern(peta.mcpUrl, tokens.access_token);
  expect((await modern.listTools()).tools).toEqual([]);
  await modern.close();
  await context.close();
});

test('a device is allowed by a person elsewhere', async () => {
  const { config } = await begin();
  const device = await client.initiateDeviceAuthorization(config, { scope: 'mcp:tools' });
  const { page } = ann;
  await page.goto(device.verification_uri);
  await page.fill('input[name="user_code"]', device.user_code);
  await page.click('text=Continue');
  await page.waitForSelector('text=Is this the code that you see?');
  expect(await page.textContent('main')).toContain(device.user_code);
  await page.click('text=Yes, continue');
  await page.click('button[name="decision"]:has-text("Allow")');
  await page.waitForSelector('text=Connected');
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...device, interval: 1 });
  expect((await callTool(peta.mcpUrl, tokens.access_token, 'fast__echo', { text: 'x' })).status).toBe(200);
});
