import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorize, createBrowser, REDIRECT, startWorld, type World } from './test-oauth.ts';
import { createTestClient, VERIFIER } from './test-oauth-client.ts';

let world: World;
let oauth: ReturnType<typeof createTestClient>;
let other: { url: string };
beforeAll(async () => {
  world = await startWorld();
  other = await world.replica();
  oauth = createTestClient(world);
});
afterAll(() => world.close());

describe('an authorization code', () => {
  test('is good once; a second try ends everything that came of it', async () => {
    const clientId = await oauth.register();
    const code = await oauth.codeOf(clientId);
    const first = await oauth.redeem(clientId, code);
    expect(first.status).toBe(200);
    expect(await oauth.isGood(first.access_token)).toBe(true);
    expect(await oauth.redeem(clientId, code)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await oauth.isGood(first.access_token)).toBe(false);
    const refresh = { grant_type: 'refresh_token', client_id: clientId, refresh_token: String(first.refresh_token) };
    expect(await oauth.token(refresh)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  test('is good once also when two replicas are asked at the same moment', async () => {
    const clientId = await oauth.register();
    const code = await oauth.codeOf(clientId);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => oauth.redeem(clientId, code, {}, index % 2 ? other.url : world.base)),
    );
    const won = answers.filter(({ status }) => status === 200);
    expect(won.length).toBeLessThanOrEqual(1);
    for (const { access_token } of won) expect(await oauth.isGood(access_token)).toBe(false);
  });

  test('is nothing to another client, with another verifier, without one, and for another address', async () => {
    const clientId = await oauth.register();
    const thief = await oauth.register();
    expect(await oauth.redeem(thief, await oauth.codeOf(clientId))).toMatchObject({ error: 'invalid_grant' });
    for (const wrong of [{ code_verifier: 'w'.repeat(64) }, { code_verifier: '' }, { redirect_uri: `${REDIRECT}2` }])
      expect((await oauth.redeem(clientId, await oauth.codeOf(clientId), wrong)).status, JSON.stringify(wrong)).toBe(
        400,
      );
  });

  test('ends after a minute', async () => {
    const clientId = await oauth.register();
    const code = await oauth.codeOf(clientId);
    const { rows } = await world.db.$client.query(
      "select expires_at - created_at as life from oauth_record where model = 'AuthorizationCode' and client_id = $1",
      [clientId],
    );
    expect(rows[0].life.minutes ?? 0).toBeLessThanOrEqual(1);
    await world.age('AuthorizationCode', clientId, 61);
    expect(await oauth.redeem(clientId, code)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  test('comes with the issuer and the state, so that no other server can be taken for this one', async () => {
    const { location } = await oauth.ask(await oauth.register());
    expect(location?.searchParams.get('iss')).toBe(world.base);
    expect(location?.searchParams.get('state')).toBe('the-state');
    const denied = await oauth.ask(await oauth.register(), {}, 'ann', 'deny');
    expect(denied.location?.searchParams.get('error')).toBe('access_denied');
    expect(denied.location?.searchParams.get('iss')).toBe(world.base);
  });
});

describe('an authorization request', () => {
  test.each([
    ['without a challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['with a plain challenge', { code_challenge: VERIFIER, code_challenge_method: 'plain' }, 'invalid_request'],
    ['with a challenge of no method', { code_challenge_method: undefined }, 'invalid_request'],
    ['for a token in the answer', { response_type: 'token' }, 'unsupported_response_type'],
    ['for the endpoint of another server', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
    ['for what is no endpoint', { resource: 'http://127.0.0.1/admin' }, 'invalid_target'],
  ])('%s is refused', async (_what, parameters, error) => {
    const { location } = await oauth.ask(await oauth.register(), parameters);
    expect(location?.searchParams.get('error') ?? location?.hash).toContain(error);
    expect(location?.searchParams.get('code')).toBeNull();
  });

  test.each([
    'https://evil.example/callback',
    'http://127.0.0.1:4711/callback/../evil',
    'http://127.0.0.1:4711/callback?x=1',
    'http://127.0.0.1:4711@evil.example/callback',
    'http://localhost:4711/callback',
    'javascript:alert(1)',
  ])('that would answer to %s goes nowhere', async (redirect_uri) => {
    const { location, status, page } = await oauth.ask(await oauth.register(), { redirect_uri });
    expect(location).toBeUndefined();
    expect(status).toBe(400);
    expect(page).toContain('This did not work');
  });

  test('may answer to another port of the same machine', async () => {
    const redirect_uri = 'http://127.0.0.1:50000/callback';
    const clientId = await oauth.register();
    const { location } = await oauth.ask(clientId, { redirect_uri });
    expect(location?.port).toBe('50000');
    const code = location?.searchParams.get('code') ?? '';
    expect((await oauth.redeem(clientId, code, { redirect_uri })).status).toBe(200);
  });

  test('of somebody who is not signed in leads to the sign-in page and back', async () => {
    const browser = createBrowser(world.base);
    const first = await browser.go(oauth.address(await oauth.register()));
    const interaction = first.headers.get('location') ?? '';
    const next = await browser.go(interaction);
    expect(next.status).toBe(303);
    expect(next.headers.get('location')).toBe(`/sign-in?next=${encodeURIComponent(interaction)}`);
    browser.person = 'ann';
    const { location, pages } = await authorize(browser, world.base, interaction);
    expect(pages).toBe(1);
    expect(location?.searchParams.get('code')).toBeTruthy();
  });
});

describe('a refresh token', () => {
  const start = async () => {
    const clientId = await oauth.register();
    const tokens = await oauth.redeem(clientId, await oauth.codeOf(clientId));
    const refresh = (value: unknown, more = {}, base = world.base) =>
      oauth.token({ grant_type: 'refresh_token', client_id: clientId, refresh_token: String(value), ...more }, base);
    return { clientId, tokens, refresh };
  };

  test('is replaced each time, and the old one used again ends the grant', async () => {
    const { tokens, refresh } = await start();
    const second = await refresh(tokens.refresh_token);
    expect(second.refresh_token).not.toBe(tokens.refresh_token);
    expect(await oauth.isGood(second.access_token)).toBe(true);
    expect(await refresh(tokens.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await oauth.isGood(second.access_token)).toBe(false);
    expect(await refresh(second.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  test('used at the same moment at two replicas leaves nobody with a way on', async () => {
    const { tokens, refresh } = await start();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => refresh(tokens.refresh_token, {}, index % 2 ? other.url : world.base)),
    );
    const won = answers.filter(({ status }) => status === 200);
    expect(won.length).toBeLessThanOrEqual(1);
    for (const answer of won) {
      expect(await oauth.isGood(answer.access_token)).toBe(false);
      expect((await refresh(answer.refresh_token)).status).toBe(400);
    }
  });

  test('widens nothing', async () => {
    const { tokens, refresh } = await start();
    expect(await refresh(tokens.refresh_token, { scope: 'mcp:tools mcp:prompts' })).toMatchObject({
      error: 'invalid_scope',
    });
    expect(await refresh(tokens.refresh_token, { resource: `${world.mcp}/e/research` })).toMatchObject({
      error: 'invalid_target',
    });
  });

  test('is good no more once its person is disabled', async () => {
    const { tokens, refresh } = await start();
    await world.db.$client.query(`update "user" set status = 0 where id = 'ann'`);
    try {
      expect(await refresh(tokens.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
    } finally {
      await world.db.$client.query(`update "user" set status = 1 where id = 'ann'`);
    }
  });
});
