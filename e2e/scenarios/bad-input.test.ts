import { request } from 'node:http';
import { type Client, createClient } from '@peta/api';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../harness/fixtures.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, initialize, post, VERSION_META } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
let token: string;
beforeAll(async () => {
  peta = await startPeta({
    env: { PETA_CALL_TIMEOUT_SECONDS: '1', PETA_START_TIMEOUT_SECONDS: '3', PETA_MAX_BODY_BYTES: '100000' },
  });
  ({ api, token } = await becomeOwner(peta));
  await api.servers.create({ serverId: 'fast', launchConfig: fixture('fast', '--stdio') });
  await until(
    'the server is listed',
    async () => Object.keys((await api.capabilities.ofServer({ serverId: 'fast' })).capabilities.tools).length > 0,
  );
});
afterEach(async () => {
  const { json } = await callTool(peta.mcpUrl, token, 'fast__echo', { text: 'still alive' });
  expect(JSON.stringify(json)).toContain('still alive');
});
afterAll(cleanUp);

const errorOf = (json: unknown) => (json as { error: { code: number; message: string } }).error;
const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
const listTools = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: VERSION_META } };

describe('the wire', () => {
  test.each([
    ['malformed JSON', '{"jsonrpc":', 400, -32700],
    ['an empty body', '', 400, -32700],
    ['no JSON-RPC', '{"hello":1}', 400, -32600],
    ['a null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32600],
    ['an empty batch', '[]', 400, -32600],
    ['a deep nest', `${'['.repeat(40_000)}${']'.repeat(40_000)}`, 400, -32600],
    ['a deep nest that goes wrong', '{"a":'.repeat(15_000), 400, -32600],
    ['bytes that are no UTF-8', '\udcff', 400, -32700],
  ])('%s', async (_what, body, status, code) => {
    const answer = await post(peta.mcpUrl, body, { token });
    expect([answer.status, errorOf(answer.json).code]).toEqual([status, code]);
    expect(errorOf(answer.json).message.length).toBeGreaterThan(10);
  });

  test('a body over the limit', async () => {
    const answer = await post(peta.mcpUrl, `{"x":"${'x'.repeat(200_000)}"}`, { token });
    expect(answer.status).toBe(413);
    expect(errorOf(answer.json).message).toContain('100000 bytes');
  });

  test('a body over the limit that does not say how long it is', async () => {
    const status = await new Promise<number | undefined>((done, fail) => {
      const sent = request(
        peta.mcpUrl,
        { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` } },
        (response) => {
          response.resume();
          done(response.statusCode);
        },
      );
      sent.on('error', fail);
      for (let i = 0; i < 20; i += 1) sent.write('x'.repeat(10_000));
      sent.end();
    });
    expect(status).toBe(413);
  });

  test('a wrong content type', async () => {
    expect((await post(peta.mcpUrl, listTools, { token, headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  });

  test('an unknown method, in both eras', async () => {
    const session = await initialize(peta.mcpUrl, token);
    const legacy = await post(
      peta.mcpUrl,
      { jsonrpc: '2.0', id: 1, method: 'nope' },
      { token, headers: { 'mcp-session-id': session } },
    );
    expect([legacy.status, errorOf(legacy.json).code]).toEqual([200, -32601]);
    const stateless = await post(
      peta.mcpUrl,
      { ...listTools, method: 'nope' },
      { token, headers: { ...modern, 'mcp-method': 'nope' } },
    );
    expect([stateless.status, errorOf(stateless.json).code]).toEqual([404, -32601]);
  });

  test('an unknown session, and none', async () => {
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const unknown = await post(peta.mcpUrl, ping, { token, headers: { 'mcp-session-id': 'made-up' } });
    expect([unknown.status, errorOf(unknown.json).message]).toEqual([404, expect.stringContaining('initialize')]);
    const none = await post(peta.mcpUrl, ping, { token });
    expect([none.status, errorOf(none.json).message]).toEqual([400, expect.stringContaining('Mcp-Session-Id')]);
  });

  test("somebody else's session", async () => {
    await api.users.create({ userId: 'eve', name: 'Eve' });
    const { secret } = await api.tokens.issue({ userId: 'eve' });
    const session = await initialize(peta.mcpUrl, token);
    const stolen = await post(
      peta.mcpUrl,
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { token: secret, headers: { 'mcp-session-id': session } },
    );
    expect(stolen.status).toBe(404);
  });

  test('a wrong protocol version, in the header and in the body', async () => {
    const session = await initialize(peta.mcpUrl, token);
    const legacy = await post(
      peta.mcpUrl,
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { token, headers: { 'mcp-session-id': session, 'mcp-protocol-version': '1999-01-01' } },
    );
    expect(legacy.status).toBe(400);
    expect(errorOf(legacy.json).message).toContain('2025-11-25');
    const meta = { ...VERSION_META, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const stateless = await post(
      peta.mcpUrl,
      { ...listTools, params: { _meta: meta } },
      { token, headers: { ...modern, 'mcp-protocol-version': '2099-01-01' } },
    );
    expect([stateless.status, errorOf(stateless.json)]).toEqual([
      400,
      expect.objectContaining({ code: -32022, data: { supported: ['2026-07-28'], requested: '2099-01-01' } }),
    ]);
  });

  test.each([
    ['Mcp-Method', { 'mcp-method': 'tools/call' }],
    ['Mcp-Method missing', { 'mcp-method': '' }],
  ])('a header that differs from the body: %s', async (_what, headers) => {
    const answer = await post(peta.mcpUrl, listTools, { token, headers: { ...modern, ...headers } });
    expect([answer.status, errorOf(answer.json).code]).toEqual([400, -32020]);
  });

  test('a name in the header that differs from the body', async () => {
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'fast__echo', arguments: { text: 'x' }, _meta: VERSION_META },
    };
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'fast__add' };
    const answer = await post(peta.mcpUrl, body, { token, headers });
    expect([answer.status, errorOf(answer.json).code]).toEqual([400, -32020]);
    const sentinel = `=?base64?${Buffer.from('fast__echo').toString('base64')}?=`;
    expect((await post(peta.mcpUrl, body, { token, headers: { ...headers, 'mcp-name': sentinel } })).status).toBe(200);
  });
});

describe('tokens', () => {
  const ask = (bearer: string | undefined) =>
    post(peta.mcpUrl, listTools, { ...(bearer !== undefined && { token: bearer }), headers: modern });

  test.each([
    ['missing', undefined],
    ['made up', 'peta_0123456789012345678901234567890123456789012'],
    ['not a token at all', 'hunter2'],
  ])('one that is %s', async (_what, bearer) => {
    const answer = await ask(bearer);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    if (bearer) expect(answer.text).not.toContain(bearer);
  });

  test('one in the query string is not taken', async () => {
    expect((await post(`${peta.mcpUrl}?token=${token}`, listTools, { headers: modern })).status).toBe(401);
  });

  test('one that has expired, and one that was revoked', async () => {
    const expiresAt = new Date(Date.now() + 1_000).toISOString();
    const expiring = await api.tokens.issue({ userId: 'owner', expiresAt });
    const revoked = await api.tokens.issue({ userId: 'owner' });
    expect((await ask(expiring.secret)).status).toBe(200);
    expect((await ask(revoked.secret)).status).toBe(200);
    await api.tokens.revoke({ tokenId: revoked.token.tokenId });
    await until(
      'both end',
      async () => (await ask(expiring.secret)).status === 401 && (await ask(revoked.secret)).status === 401,
      3_000,
    );
  });
});

describe('calls and servers', () => {
  const call = async (name: string, args: object = {}) => (await callTool(peta.mcpUrl, token, name, args)).json;
  const add = async (serverId: string, launchConfig: Parameters<Client['servers']['create']>[0]['launchConfig']) =>
    void (await api.servers.create({ serverId, launchConfig }));

  test('a tool that does not exist', async () => {
    expect(errorOf(await call('fast__nope'))).toEqual({ code: -32602, message: 'Unknown tool: fast__nope' });
    expect(errorOf(await call('nowhere__x'))).toEqual({ code: -32602, message: 'Unknown tool: nowhere__x' });
  });

  test('a resource that does not exist', async () => {
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'resources/read',
      params: { uri: 'nowhere::x://y', _meta: VERSION_META },
    };
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'resources/read',
      'mcp-name': 'nowhere::x://y',
    };
    expect(errorOf((await post(peta.mcpUrl, body, { token, headers })).json).code).toBe(-32602);
  });

  test('arguments that violate the schema', async () => {
    expect(JSON.stringify(await call('fast__add', { a: 'one' }))).toMatch(/invalid|expected/i);
  });

  test('a cursor that nobody gave', async () => {
    const answer = await post(
      peta.mcpUrl,
      { ...listTools, params: { cursor: 'x', _meta: VERSION_META } },
      { token, headers: modern },
    );
    expect(errorOf(answer.json).code).toBe(-32602);
  });

  test('a command that does not exist', async () => {
    await add('missing', { type: 'stdio', command: 'no-such-command' });
    expect(errorOf(await call('missing__x')).message).toContain('could not be started');
    const { server } = await until('it is marked', async () => {
      const found = await api.servers.get({ serverId: 'missing' });
      return found.server.status === 3 && found;
    });
    expect(server.statusReason).toContain('no-such-command');
  });

  test('a server that prints noise on its standard output', async () => {
    await add('noisy', fixture('noisy'));
    await until('it is listed', async () => JSON.stringify(await call('noisy__speak')).includes('through the noise'));
    const { lines } = await api.servers.logs({ serverId: 'noisy' });
    expect(lines.some(({ source, text }) => source === 'stdout' && text.includes('starting up'))).toBe(true);
  });

  test('a server that never answers, at all or to a call', async () => {
    await add('silent', fixture('silent'));
    await add('no-answer', fixture('no-answer'));
    expect(errorOf(await call('silent__x')).message).toMatch(/silent/);
    const error = await until('the call times out', async () => {
      const answer = (await call('no-answer__wait')) as { error?: { message: string } };
      return answer.error?.message.includes('did not answer within') && answer.error;
    });
    expect(error.message).toContain('no-answer');
  });

  test('a server that dies in the middle of a call', async () => {
    expect(errorOf(await call('fast__die')).message).toContain('ended with code 3');
  });

  test('broken servers neither empty nor delay the list of the others', async () => {
    const since = Date.now();
    const answer = await post(peta.mcpUrl, listTools, { token, headers: modern });
    expect(Date.now() - since).toBeLessThan(6_000);
    expect(answer.text).toContain('fast__echo');
    const again = Date.now();
    await post(peta.mcpUrl, listTools, { token, headers: modern });
    expect(Date.now() - again).toBeLessThan(4_000);
  });

  test('a duplicate server id, and input that makes no sense', async () => {
    await expect(api.servers.create({ serverId: 'fast', launchConfig: fixture('fast') })).rejects.toMatchObject({
      status: 409,
      code: 'SERVER_EXISTS',
    });
    const response = await fetch(`${peta.url}/api/v1/servers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ serverId: '../x', launchConfig: { type: 'telnet' } }),
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { message: string }).message).toMatch(/serverId.*launchConfig/);
    await expect(createClient(peta.url, { token }).servers.get({ serverId: 'nobody' })).rejects.toMatchObject({
      status: 404,
    });
  });
});
