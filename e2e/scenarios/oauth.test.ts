import { type AddressInfo, createServer } from 'node:net';
import type { Client as Api } from '@peta/api';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectModern, eras, textOf } from '../harness/clients.ts';
import { registerFixture } from '../harness/fixtures.ts';
import { byCredentials, discover, exchange, insecure } from '../harness/oauth.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, initialize, post, VERSION_META } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Api;
let server: oauth.AuthorizationServer;
let client: oauth.Client;
let secret: string;

const makeClient = async (settings: Partial<Parameters<Api['clients']['create']>[0]> = {}) => {
  const made = await api.clients.create({ name: 'Nightly', userId: 'bot', ...settings });
  return { client: { client_id: made.client.clientId }, secret: made.secret ?? '' };
};

beforeAll(async () => {
  peta = await startPeta();
  ({ api } = await becomeOwner(peta));
  await registerFixture(api, 'fast');
  await api.users.create({ userId: 'bot', name: 'Bot', permissions: { fast: { enabled: true } } });
  await api.endpoints.create({ name: 'research', selection: [{ serverId: 'fast' }] });
  ({ server } = await discover(peta.mcpUrl));
  ({ client, secret } = await makeClient());
});
afterAll(cleanUp);

describe('the way from the bare address', () => {
  test('leads to the authorization server, at every endpoint, under every name of this machine', async () => {
    const { port } = new URL(peta.url);
    for (const host of ['127.0.0.1', 'localhost'])
      for (const path of ['/mcp', '/mcp/public', '/mcp/e/research']) {
        const { described, challenge } = await discover(`http://${host}:${port}${path}`);
        expect(described).toMatchObject({
          resource: `http://${host}:${port}${path}`,
          authorization_servers: [peta.url],
          scopes_supported: ['mcp:tools', 'mcp:resources', 'mcp:prompts'],
          bearer_methods_supported: ['header'],
        });
        expect(challenge).toContain('scope="mcp:tools mcp:resources mcp:prompts"');
      }
    const bare = (await (await fetch(`${peta.url}/.well-known/oauth-protected-resource`)).json()) as object;
    expect(bare).toMatchObject({ resource: peta.mcpUrl });
    // Whether there is such an endpoint is nobody's business who has not said who they are.
    const described = await fetch(`${peta.url}/.well-known/oauth-protected-resource/mcp/e/nothing`);
    expect(await described.json()).toMatchObject({ resource: `${peta.mcpUrl}/e/nothing` });
  });

  test('the server says what it can, in both documents alike', async () => {
    expect(server).toMatchObject({ issuer: peta.url, code_challenge_methods_supported: ['S256'] });
    const openid = await (await fetch(`${peta.url}/.well-known/openid-configuration`)).json();
    expect(openid).toEqual(server);
    const jwks = await (await fetch(server.jwks_uri ?? '')).json();
    expect(jwks).toMatchObject({ keys: [{ kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256' }] });
    expect(JSON.stringify(jwks)).not.toContain('"d"');
  });
});

describe('client credentials', () => {
  test.each(eras)('buy fifteen minutes in which an agent calls tools, in %s', async (_era, connect) => {
    const token = await byCredentials(server, client, secret);
    expect(token.expires_in).toBe(900);
    const mcp = await connect(peta.mcpUrl, token.access_token);
    expect((await mcp.listTools()).tools.length).toBeGreaterThan(0);
    expect(textOf(await mcp.callTool({ name: 'fast__echo', arguments: { text: 'hello' } }))).not.toBe('');
    await mcp.close();
  });

  test('are taken as a form and as JSON, at the long and the short address', async () => {
    const fields = { grant_type: 'client_credentials' };
    const authorization = `Basic ${btoa(`${client.client_id}:${secret}`)}`;
    for (const path of ['/token', '/oauth/token'])
      for (const [type, body] of [
        ['application/json', JSON.stringify(fields)],
        ['application/x-www-form-urlencoded', new URLSearchParams(fields).toString()],
      ] as const) {
        const headers = { 'content-type': type, authorization };
        const answer = await fetch(`${peta.url}${path}`, { method: 'POST', body, headers });
        expect(await answer.json(), `${path} ${type}`).toMatchObject({ token_type: 'Bearer', expires_in: 900 });
      }
  });

  test('are nothing with a wrong secret', async () => {
    await expect(byCredentials(server, client, 'wrong')).rejects.toMatchObject({ status: 401 });
  });

  test('reach no address but the one they are for', async () => {
    const resource = `${peta.mcpUrl}/e/research`;
    const { access_token: token } = await byCredentials(server, client, secret, { resource });
    expect((await callTool(resource, token, 'fast__echo', { text: 'x' })).status).toBe(200);
    const elsewhere = await callTool(peta.mcpUrl, token, 'fast__echo', { text: 'x' });
    expect(elsewhere.status).toBe(401);
    expect(elsewhere.headers.get('www-authenticate')).toContain('error="invalid_token"');
    for (const path of ['/api/v1/tokens', '/api/v1/me'])
      expect((await fetch(`${peta.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).status).not.toBe(
        200,
      );
    for (const foreign of ['https://evil.example/mcp', `${peta.url}/admin`, `${peta.mcpUrl}/`])
      await expect(byCredentials(server, client, secret, { resource: foreign })).rejects.toMatchObject({
        error: 'invalid_target',
      });
    const nothing = `${peta.mcpUrl}/e/nothing`;
    const { access_token: useless } = await byCredentials(server, client, secret, { resource: nothing });
    expect((await callTool(nothing, useless, 'fast__echo', { text: 'x' })).status).toBe(404);
  });

  test('confine what is listed and called to their scope, and a call beyond says what to ask for', async () => {
    const { access_token: token } = await byCredentials(server, client, secret, { scope: 'mcp:prompts' });
    const mcp = await connectModern(peta.mcpUrl, token);
    expect((await mcp.listTools()).tools).toEqual([]);
    await mcp.close();
    const session = await initialize(peta.mcpUrl, token);
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'fast__echo', arguments: {} } };
    for (const refused of [
      await callTool(peta.mcpUrl, token, 'fast__echo', { text: 'x' }),
      await post(peta.mcpUrl, call, { token, headers: { 'mcp-session-id': session } }),
    ]) {
      expect(refused.status).toBe(403);
      const challenge = refused.headers.get('www-authenticate') ?? '';
      expect(challenge).toContain('error="insufficient_scope"');
      expect(challenge).toContain('scope="mcp:prompts mcp:tools"');
      expect(challenge).toContain(`resource_metadata="${peta.url}/.well-known/oauth-protected-resource/mcp"`);
    }
  });

  test('a client that is confined gets no more than that', async () => {
    const confined = await makeClient({ scopes: ['mcp:tools'], endpoints: ['/mcp/e/research'] });
    const resource = `${peta.mcpUrl}/e/research`;
    const token = await byCredentials(server, confined.client, confined.secret, { resource });
    expect(token.scope).toBe('mcp:tools');
    await expect(byCredentials(server, confined.client, confined.secret)).rejects.toMatchObject({
      error: 'invalid_target',
    });
  });

  test('end within a second when the client is removed, streams that are open included', async () => {
    const other = await makeClient();
    const { access_token: token } = await byCredentials(server, other.client, other.secret);
    const session = await initialize(peta.mcpUrl, token);
    const stream = await fetch(peta.mcpUrl, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${token}`, 'mcp-session-id': session },
    });
    expect(stream.status).toBe(200);
    const ended = stream.text();
    await api.clients.remove({ clientId: other.client.client_id });
    await expect(Promise.race([ended, new Promise((_, fail) => setTimeout(fail, 1_000))])).resolves.toBeTypeOf(
      'string',
    );
    expect((await callTool(peta.mcpUrl, token, 'fast__echo', { text: 'x' })).status).toBe(401);
    await expect(byCredentials(server, other.client, other.secret)).rejects.toMatchObject({ status: 401 });
  });
});

describe('introspection and revocation', () => {
  const ask = async (token: string, at: 'introspection' | 'revocation') =>
    at === 'introspection'
      ? oauth.processIntrospectionResponse(
          server,
          client,
          await oauth.introspectionRequest(server, client, oauth.ClientSecretBasic(secret), token, insecure),
        )
      : oauth.processRevocationResponse(
          await oauth.revocationRequest(server, client, oauth.ClientSecretBasic(secret), token, insecure),
        );

  test('know the access tokens of the client, which end at once', async () => {
    const { access_token: token } = await byCredentials(server, client, secret);
    expect(await ask(token, 'introspection')).toMatchObject({ active: true, aud: peta.mcpUrl, sub: 'default:bot' });
    expect((await callTool(peta.mcpUrl, token, 'fast__echo', { text: 'x' })).status).toBe(200);
    await ask(token, 'revocation');
    expect(await ask(token, 'introspection')).toEqual({ active: false });
    await until(
      'the token ending',
      async () => (await callTool(peta.mcpUrl, token, 'fast__echo', { text: 'x' })).status === 401,
    );
  });

  test('tell nothing of tokens of other clients, and of what is none', async () => {
    const other = await makeClient();
    const { access_token: token } = await byCredentials(server, other.client, other.secret);
    expect(await ask(token, 'introspection')).toEqual({ active: false });
    expect(await ask('nonsense', 'introspection')).toEqual({ active: false });
    expect(await ask('a.b.c', 'introspection')).toEqual({ active: false });
  });
});

describe('token exchange', () => {
  test('a service token buys fifteen minutes, and they end with it', async () => {
    const { secret: serviceToken, token } = await api.tokens.issue({ userId: 'bot' });
    const answer = (await (await exchange(server, serviceToken, { scope: 'mcp:tools' })).json()) as {
      access_token: string;
    };
    expect(answer).toMatchObject({ expires_in: 900, token_type: 'Bearer', scope: 'mcp:tools' });
    expect((await callTool(peta.mcpUrl, answer.access_token, 'fast__echo', { text: 'x' })).status).toBe(200);
    await api.tokens.revoke({ tokenId: token.tokenId });
    await until(
      'the token ending',
      async () => (await callTool(peta.mcpUrl, answer.access_token, 'fast__echo', { text: 'x' })).status === 401,
    );
    expect((await exchange(server, serviceToken)).status).toBe(400);
  });

  test('never reaches further than what was exchanged', async () => {
    const scope = { endpoints: ['/mcp/e/research'] };
    const { secret: confined } = await api.tokens.issue({ userId: 'bot', scope });
    expect(await (await exchange(server, confined, { resource: peta.mcpUrl })).json()).toMatchObject({
      error: 'invalid_target',
    });
    const servers = await api.tokens.issue({ userId: 'bot', scope: { servers: [] } });
    const narrow = (await (await exchange(server, servers.secret)).json()) as { access_token: string };
    const listed = await post(
      peta.mcpUrl,
      { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: VERSION_META } },
      {
        token: narrow.access_token,
        headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' },
      },
    );
    expect(listed.json).toMatchObject({ result: { tools: [] } });
    const { access_token: prompts } = await byCredentials(server, client, secret, { scope: 'mcp:prompts' });
    // Only the client itself, or one that keeps a secret, may exchange what was issued to a client.
    expect((await exchange(server, prompts)).status).toBe(400);
  });

  test('what is no token buys nothing', async () => {
    for (const nothing of ['peta_nonsense', 'a.b.c', ''])
      expect(await (await exchange(server, nothing)).json()).toMatchObject({ error: 'invalid_request' });
  });
});

describe('registration', () => {
  const register = (body: object) =>
    fetch(`${peta.url}/register`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });

  test('is open to clients that come with a redirect URI of a known kind', async () => {
    const answer = await register({
      client_name: 'Cursor',
      redirect_uris: ['cursor://anysphere.cursor-retrieval/oauth/callback', 'http://localhost:1234/callback'],
      token_endpoint_auth_method: 'none',
      logo_uri: 'http://169.254.169.254/logo.png',
    });
    expect(answer.status).toBe(201);
    const made = (await answer.json()) as Record<string, unknown>;
    expect(made).toMatchObject({ client_name: 'Cursor', client_id: expect.any(String) });
    expect(made).not.toHaveProperty('logo_uri');
    expect(made).not.toHaveProperty('client_secret');
  });

  test('a flood of it from one address is stopped', async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 40; count += 1)
      statuses.push((await register({ redirect_uris: ['https://a.example/callback'] })).status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(15);
  });
});

test('a client that says it is described at an address inside makes Peta ask nobody there', async () => {
  let connections = 0;
  const inside = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((done) => inside.listen(0, done));
  const { port } = inside.address() as AddressInfo;
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::1]', '[::ffff:127.0.0.1]']) {
    const query = new URLSearchParams({
      ...{ client_id: `https://${host}:${port}/client`, response_type: 'code', redirect_uri: 'https://evil.example/c' },
      ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', resource: peta.mcpUrl },
    });
    const answer = await fetch(`${peta.url}/oauth/authorize?${query}`, { redirect: 'manual' });
    expect([host, answer.status, answer.headers.get('location')]).toEqual([host, 400, null]);
  }
  inside.close();
  expect(connections).toBe(0);
});
