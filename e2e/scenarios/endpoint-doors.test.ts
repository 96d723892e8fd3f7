import type { Client } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eras, textOf } from '../harness/clients.ts';
import { fixture, refusalOf, registerFixture, toolNames } from '../harness/fixtures.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, initialize, post } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
let token: string;
const LIMIT_MS = 1_000;

const at = (path: string) => `${peta.url}${path}`;

beforeAll(async () => {
  peta = await startPeta();
  ({ api, token } = await becomeOwner(peta));
  await Promise.all([
    registerFixture(api, 'fast'),
    registerFixture(api, 'other'),
    registerFixture(api, 'changing', fixture('changing', '--stdio')),
  ]);
});
afterAll(cleanUp);

describe('an address', () => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

  test('of no endpoint, or of one that is switched off, answers 404 and says what to do; without a token it is as any other', async () => {
    await api.endpoints.create({ name: 'off', enabled: false, selection: [{ serverId: 'fast' }] });
    for (const path of ['/mcp/e/none', '/mcp/e/off']) {
      const known = await post(at(path), ping, { token });
      expect(known.status).toBe(404);
      expect(known.json).toMatchObject({ error: { message: expect.stringContaining('ask an administrator') } });
      const { status, headers } = await post(at(path), ping);
      expect([status, headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('Bearer')]);
    }
  });

  test('of an endpoint that is not for anybody answers 401 without a token', async () => {
    const { endpoint } = await api.endpoints.create({ name: 'closed', selection: [{ serverId: 'fast' }] });
    const { status, headers } = await post(at(endpoint.path), ping);
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toContain('Bearer');
    expect((await callTool(at(endpoint.path), undefined, 'fast__echo', { text: 'x' })).status).toBe(401);
    expect((await callTool(at(endpoint.path), 'peta_wrong', 'fast__echo', { text: 'x' })).status).toBe(401);
  });

  test('keeps its sessions: at another, or for another kind of caller, they are not known', async () => {
    const selection = [{ serverId: 'fast' }];
    const here = at((await api.endpoints.create({ name: 'here', anonymous: true, selection })).endpoint.path);
    const there = at((await api.endpoints.create({ name: 'there', anonymous: true, selection })).endpoint.path);
    const inSession = (url: string, session: string, own?: string) =>
      post(url, ping, { ...(own && { token: own }), headers: { 'mcp-session-id': session } });
    const sessions = { mine: await initialize(here, token), anybodys: await initialize(here) };
    const statuses = await Promise.all([
      inSession(here, sessions.mine, token),
      inSession(there, sessions.mine, token),
      inSession(peta.mcpUrl, sessions.mine, token),
      inSession(here, sessions.mine),
      inSession(here, sessions.anybodys),
      inSession(there, sessions.anybodys),
      inSession(here, sessions.anybodys, token),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([200, 404, 404, 404, 200, 404, 404]);
  });

  test('that is removed ends what is open there', async () => {
    const { endpoint } = await api.endpoints.create({
      name: 'gone',
      anonymous: true,
      selection: [{ serverId: 'fast' }],
    });
    const session = await initialize(at(endpoint.path));
    const stream = await fetch(at(endpoint.path), {
      headers: { accept: 'text/event-stream', 'mcp-session-id': session },
    });
    expect(stream.status).toBe(200);
    const ended = stream.text();
    await api.endpoints.remove({ name: 'gone' });
    const since = Date.now();
    await ended;
    expect(Date.now() - since).toBeLessThan(LIMIT_MS);
    expect((await post(at(endpoint.path), ping)).status).toBe(401);
    expect((await post(at(endpoint.path), ping, { token })).status).toBe(404);
  });
});

describe('/mcp/public', () => {
  const url = () => at('/mcp/public');
  const head = async () => (await fetch(url(), { method: 'HEAD' })).status;

  test('lets nobody in while no server is marked for anybody', async () => {
    expect(await head()).toBe(401);
    expect((await callTool(url(), undefined, 'fast__echo', { text: 'x' })).status).toBe(401);
  });

  describe('when a server is marked', () => {
    beforeAll(async () => {
      await api.servers.update({ serverId: 'other', anonymousAccess: true, anonymousRateLimit: 1000 });
      await until('the door opens', async () => (await head()) === 200);
    });

    test.each(eras)('a client of %s without a token sees that server alone', async (_era, connect) => {
      const client = await connect(url(), undefined);
      expect((await toolNames(client)).every((name) => name.startsWith('other__'))).toBe(true);
      expect(textOf(await client.callTool({ name: 'other__echo', arguments: { text: 'hi' } }))).toBe('hi');
      expect(await refusalOf(client.callTool({ name: 'fast::echo', arguments: { text: 'x' } }))).toContain('Unknown');
      await client.close();
    });

    test.each(['Bearer peta_never-issued', 'Bearer', 'Basic dXNlcjpwYXNz', 'peta_x'])(
      'the header "Authorization: %s" is a token that is not valid, and not the want of one',
      async (authorization) => {
        const body = { jsonrpc: '2.0', id: 1, method: 'ping' };
        const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
        const ask = (more: Record<string, string>) =>
          fetch(url(), { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) });
        expect((await ask({ authorization })).status).toBe(401);
        expect((await fetch(url(), { method: 'HEAD', headers: { authorization } })).status).toBe(401);
        expect((await ask({})).status).not.toBe(401);
      },
    );

    test('it takes so many calls a minute from one address, and says so', async () => {
      await api.servers.update({ serverId: 'changing', anonymousAccess: true, anonymousRateLimit: 3 });
      const call = async () => JSON.stringify((await callTool(url(), undefined, 'changing::grow', {})).json);
      await until('the server is there', async () => (await call()).includes('grew'));
      const rest = [await call(), await call(), await call()];
      expect(rest.map((text) => text.includes('takes 3 requests a minute'))).toEqual([false, false, true]);
      expect(JSON.stringify((await callTool(url(), token, 'changing::grow', {})).json)).toContain('grew');
    });

    test('what is open ends when no server is marked any more', async () => {
      const session = await initialize(url());
      const stream = await fetch(url(), { headers: { accept: 'text/event-stream', 'mcp-session-id': session } });
      const ended = stream.text();
      for (const serverId of ['other', 'changing']) await api.servers.update({ serverId, anonymousAccess: false });
      await ended;
      expect(await head()).toBe(401);
    });
  });
});
