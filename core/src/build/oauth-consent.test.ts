import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresUsers } from '../admin/io/postgres-users.ts';
import { authorize, createBrowser, REDIRECT, startWorld, type World } from './test-oauth.ts';
import { createTestClient } from './test-oauth-client.ts';

let world: World;
let oauth: ReturnType<typeof createTestClient>;
beforeAll(async () => {
  world = await startWorld();
  oauth = createTestClient(world);
});
afterAll(() => world.close());

describe('consent', () => {
  test('is remembered for the same client and scopes, and for no other client, scope, endpoint or person', async () => {
    const clientId = await oauth.register();
    const browser = createBrowser(world.base, 'ann');
    const pagesFor = async (id: string, parameters = {}) =>
      (await authorize(browser, world.base, oauth.address(id, parameters))).pages;
    expect(await pagesFor(clientId)).toBe(1);
    expect(await pagesFor(clientId)).toBe(0);
    expect(await pagesFor(clientId, { scope: 'mcp:tools mcp:prompts' })).toBe(1);
    expect(await pagesFor(clientId, { resource: `${world.mcp}/e/research` })).toBe(1);
    expect(await pagesFor(clientId, { prompt: 'consent' })).toBe(1);
    expect(await pagesFor(await oauth.register())).toBe(1);
    browser.person = 'bob';
    expect(await pagesFor(clientId)).toBe(1);
  });

  test('names the client, says that its name is not verified, and what it asks for', async () => {
    const clientId = await oauth.register({ client_name: '<img src=x onerror=alert(1)>' });
    const browser = createBrowser(world.base, 'ann');
    const first = await browser.go(oauth.address(clientId));
    const page = await browser.go(first.headers.get('location') ?? '');
    const text = await page.text();
    expect(text).toContain('&lt;img src=x');
    expect(text).not.toContain('<img');
    for (const words of ['not verified', 'a program on this computer', 'call them in your name', '/mcp', '180 days'])
      expect(text).toContain(words);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("form-action 'self' http://127.0.0.1:4711;");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  test('needs the form that this very browser was shown', async () => {
    const clientId = await oauth.register();
    const browser = createBrowser(world.base, 'ann');
    const interaction = (await browser.go(oauth.address(clientId))).headers.get('location') ?? '';
    const proof = /name="proof" value="([^"]+)"/.exec(await (await browser.go(interaction)).text())?.[1] ?? '';
    const submit = (from: typeof browser, value: string) =>
      from.submit(interaction, { proof: value, decision: 'allow' });
    expect((await submit(browser, 'forged')).status).toBe(400);
    expect((await submit(createBrowser(world.base, 'ann'), proof)).status).toBe(400);
    browser.person = 'bob';
    expect((await submit(browser, proof)).status).toBe(400);
    browser.person = 'ann';
    const origin = { origin: 'https://evil.example' };
    const body = new URLSearchParams({ proof, decision: 'allow' });
    expect((await browser.go(interaction, { method: 'POST', body, headers: origin })).status).toBe(403);
    expect((await submit(browser, proof)).status).toBe(303);
  });

  test('taken back ends tokens, codes and refreshing, and everybody is told', async () => {
    const clientId = await oauth.register();
    const tokens = await oauth.redeem(clientId, await oauth.codeOf(clientId));
    const grantId = (await world.oauth.records.grantOf('default', 'ann', clientId)) ?? '';
    await world.oauth.port.endConsent(grantId);
    expect(world.revoked).toContain(`oauth_${grantId}`);
    expect(await oauth.isGood(tokens.access_token)).toBe(false);
    const refresh = { grant_type: 'refresh_token', client_id: clientId, refresh_token: String(tokens.refresh_token) };
    expect(await oauth.token(refresh)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect((await oauth.ask(clientId)).pages).toBe(1);
  });
});

test('nothing that could be used is in the database as it is', async () => {
  const clientId = await oauth.register();
  const code = await oauth.codeOf(clientId);
  const tokens = await oauth.redeem(clientId, code);
  const { rows } = await world.db.$client.query('select * from oauth_record');
  const text = JSON.stringify(rows);
  for (const secret of [code, tokens.refresh_token, tokens.access_token]) expect(text).not.toContain(String(secret));
  for (const model of ['Session', 'Interaction', 'RefreshToken'])
    for (const row of rows.filter((one) => one.model === model)) expect(Object.keys(row.payload)).toEqual(['sealed']);
});

test('somebody removed takes along what they allowed, also for whoever gets their id', async () => {
  await world.db.$client.query(
    `insert into "user" (workspace_id, id, name, role) values ('default', 'carl', 'Carl', 3)`,
  );
  const clientId = await oauth.register();
  const tokens = await oauth.redeem(clientId, await oauth.codeOf(clientId, {}, 'carl'));
  expect(await oauth.isGood(tokens.access_token)).toBe(true);
  await postgresUsers(world.db).remove('default', 'carl');
  expect(await oauth.isGood(tokens.access_token)).toBe(false);
});

test('a device is allowed by a person elsewhere, after they compared the code', async () => {
  const clientId = await oauth.register({
    redirect_uris: [],
    response_types: [],
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  });
  const config = await client.discovery(new URL(world.base), clientId, undefined, client.None(), {
    ...{ execute: [client.allowInsecureRequests], algorithm: 'oauth2' },
  });
  const device = await client.initiateDeviceAuthorization(config, { scope: 'mcp:tools', resource: world.mcp });
  const poll = () =>
    oauth.token({
      ...{ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: clientId },
      device_code: device.device_code,
    });
  expect(await poll()).toMatchObject({ status: 400, error: 'authorization_pending' });

  const browser = createBrowser(world.base, 'ann');
  const xsrfOf = (page: string) => /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
  const page = await (await browser.go(device.verification_uri)).text();
  const wrong = await browser.submit('/oauth/device', { xsrf: xsrfOf(page), user_code: 'BBBB-BBBB' });
  const again = await wrong.text();
  expect(again).toContain('not known');
  const code = { xsrf: xsrfOf(again), user_code: device.user_code };
  const compared = await browser.submit('/oauth/device', code);
  expect(await compared.text()).toContain(device.user_code);
  expect(await poll()).toMatchObject({ error: 'authorization_pending' });
  const confirmed = await browser.submit('/oauth/device', { ...code, confirm: 'yes' });
  const { page: done, pages } = await authorize(browser, world.base, confirmed.headers.get('location') ?? '');
  expect(pages).toBe(1);
  expect(done).toContain('Connected');
  const tokens = await poll();
  expect(tokens.status).toBe(200);
  expect(await world.tokens.byBearer(String(tokens.access_token))).toMatchObject({ userId: 'ann' });
  expect(await poll()).toMatchObject({ status: 400, error: 'invalid_grant' });
});

describe('a client that is known by its metadata document', () => {
  const ID = 'https://app.example/client.json';
  const open = async (document: object, status = 200) => {
    const fetched: string[] = [];
    const own = await startWorld({
      async fetch(url, init) {
        fetched.push(`${url} ${init.redirect ?? ''}`);
        return new Response(JSON.stringify({ client_id: ID, redirect_uris: ['https://app.example/cb'], ...document }), {
          status,
        });
      },
    });
    return { own, fetched, client: createTestClient(own) };
  };
  const REDIRECTED = { redirect_uri: 'https://app.example/cb' };

  test('is named with the host of its document, which is fetched by the guarded way alone', async () => {
    const {
      own,
      fetched,
      client: app,
    } = await open({ client_name: 'App', scope: 'other', logo_uri: 'http://10.0.0.1' });
    try {
      const browser = createBrowser(own.base, 'ann');
      const first = await browser.go(app.address(ID, REDIRECTED));
      const page = await (await browser.go(first.headers.get('location') ?? '')).text();
      expect(page).toContain('Published by <strong>app.example</strong>');
      expect(fetched).toEqual([`${ID} manual`]);
      const code = await app.codeOf(ID, REDIRECTED);
      expect((await app.redeem(ID, code, REDIRECTED)).status).toBe(200);
      expect((await app.ask(ID, REDIRECTED)).pages).toBe(0);
    } finally {
      await own.close();
    }
  });

  test('is asked for each time where any program of the computer could stand in for it', async () => {
    const { own, client: app } = await open({ redirect_uris: [REDIRECT] });
    try {
      expect((await app.ask(ID)).pages).toBe(1);
      expect((await app.ask(ID)).pages).toBe(1);
    } finally {
      await own.close();
    }
  });

  test.each<[string, object, number]>([
    ['is of another client', { client_id: 'https://evil.example/client.json' }, 200],
    ['holds a secret', { client_secret: 's' }, 200],
    ['would have answers sent to a script', { redirect_uris: ['https://app.example/cb', 'javascript:x'] }, 200],
    ['is not there', {}, 404],
    ['leads elsewhere', {}, 302],
  ])('is no client when the document %s', async (_what, document, status) => {
    const { own, client: app } = await open(document, status);
    try {
      const { location, page } = await app.ask(ID, REDIRECTED);
      expect(location).toBeUndefined();
      expect(page).toContain('This did not work');
    } finally {
      await own.close();
    }
  });
});
