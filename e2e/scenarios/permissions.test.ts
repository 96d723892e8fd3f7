import type { Client } from '@peta/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Connect, eras, type McpClient, textOf } from '../harness/clients.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, initialize, post } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
let ownerToken: string;
const everything = { everything: { enabled: true } };

beforeAll(async () => {
  peta = await startPeta({ args: ['--demo'] });
  ({ api, token: ownerToken } = await becomeOwner(peta));
  await api.users.create({ userId: 'ada', name: 'Ada' });
});
beforeEach(async () => {
  await api.users.update({ userId: 'ada', status: 1, permissions: everything });
  await api.servers.setCapabilities({ serverId: 'everything', capabilities: { enabled: true } });
});
afterAll(cleanUp);

const newToken = async (scope = {}) => (await api.tokens.issue({ userId: 'ada', scope })).secret;
const names = async (client: McpClient) => (await client.listTools()).tools.map(({ name }) => name);
const LIMIT_MS = 1_000;

/** Changes something while a client is connected, and expects it to be told and to see it within a second. */
const expectToSee = async (
  connect: Connect,
  change: () => Promise<unknown>,
  isSeen: (names: string[]) => boolean,
  name?: string,
) => {
  const client = await connect(peta.mcpUrl, await newToken(), name);
  const before = await names(client);
  expect(isSeen(before)).toBe(false);
  const told: string[] = [];
  await client.onListChanged((kind) => told.push(kind));
  await new Promise((done) => setTimeout(done, 200));
  await change();
  const since = Date.now();
  await until('the client is told', async () => told.includes('tools'), LIMIT_MS);
  expect(isSeen(await names(client))).toBe(true);
  expect(Date.now() - since).toBeLessThan(LIMIT_MS);
  await client.close();
};

describe.each(eras)('an open client of %s', (era, connect) => {
  test('sees only what its person may use, and is refused the rest as if it were not there', async () => {
    const client = await connect(peta.mcpUrl, await newToken());
    const seen = await names(client);
    expect(seen).toContain('everything__echo');
    expect(seen.filter((name) => !name.startsWith('everything__'))).toEqual([]);
    const { resources } = await client.listResources();
    expect(resources.every(({ uri }) => uri.startsWith('everything::'))).toBe(true);
    const hidden = client.callTool({ name: 'notes__list_notes', arguments: {} });
    const unknown = client.callTool({ name: 'notes__no_such_tool', arguments: {} });
    const messages = await Promise.all(
      [hidden, unknown].map((call) => call.then(String, (error: Error) => error.message)),
    );
    expect(messages[0]?.replace('list_notes', 'X')).toBe(messages[1]?.replace('no_such_tool', 'X'));
    await expect(client.readResource({ uri: 'notes::notes://all' })).rejects.toThrow();
    await expect(client.getPrompt({ name: 'notes__summarise', arguments: { topic: 'peta' } })).rejects.toThrow();
    await client.close();
  });

  test("follows the administrator's layer within a second", async () => {
    const permissions = { everything: { enabled: true, tools: { echo: { enabled: false } } } };
    await expectToSee(
      connect,
      () => api.users.setPermissions({ userId: 'ada', permissions }),
      (seen) => !seen.includes('everything__echo'),
    );
  });

  test("follows the server's own layer within a second", async () => {
    const capabilities = { enabled: true, tools: { echo: { enabled: false } } };
    await expectToSee(
      connect,
      () => api.servers.setCapabilities({ serverId: 'everything', capabilities }),
      (seen) => !seen.includes('everything__echo'),
    );
  });

  test("follows the person's own layer for this client, and other clients do not", async () => {
    const name = `chooser-${era}`;
    const mine = await newToken();
    const permissions = { everything: { enabled: true, tools: { echo: { enabled: false } } } };
    const set = () =>
      fetch(`${peta.url}/api/v1/me/clients/${name}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${mine}`, 'content-type': 'application/json' },
        body: JSON.stringify({ permissions }),
      });
    await expectToSee(connect, set, (seen) => !seen.includes('everything__echo'), name);
    const other = await connect(peta.mcpUrl, mine, 'another');
    expect(await names(other)).toContain('everything__echo');
    await other.close();
  });

  test('sees what is newly granted', async () => {
    const permissions = { ...everything, notes: { enabled: true } };
    await expectToSee(
      connect,
      () => api.users.setPermissions({ userId: 'ada', permissions }),
      (seen) => seen.includes('notes__list_notes'),
    );
  });

  test('is refused a call that was taken away a moment ago', async () => {
    const client = await connect(peta.mcpUrl, await newToken());
    const echo = () => client.callTool({ name: 'everything__echo', arguments: { message: 'hi' } });
    expect(textOf(await echo())).toContain('hi');
    await api.users.setPermissions({ userId: 'ada', permissions: {} });
    await until(
      'the call is refused',
      () =>
        echo().then(
          () => false,
          () => true,
        ),
      LIMIT_MS,
    );
    await client.close();
  });

  test('a token confined to one server sees no other', async () => {
    await api.users.setPermissions({ userId: 'ada', permissions: { ...everything, notes: { enabled: true } } });
    const client = await connect(peta.mcpUrl, await newToken({ servers: ['notes'] }));
    expect((await names(client)).filter((name) => !name.startsWith('notes__'))).toEqual([]);
    await client.close();
  });
});

test('revoking a token ends its open streams within a second, in both eras', async () => {
  const issued = await api.tokens.issue({ userId: 'ada' });
  const authorization = `Bearer ${issued.secret}`;
  const session = await initialize(peta.mcpUrl, issued.secret);
  const legacy = await fetch(peta.mcpUrl, {
    headers: { authorization, accept: 'text/event-stream', 'mcp-session-id': session },
  });
  const modern = await fetch(peta.mcpUrl, {
    method: 'POST',
    headers: {
      authorization,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 'sub',
      method: 'subscriptions/listen',
      params: {
        notifications: { toolsListChanged: true },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  });
  expect([legacy.status, modern.status]).toEqual([200, 200]);
  const ends = Promise.all([legacy.text(), modern.text()]);
  await api.tokens.revoke({ tokenId: issued.token.tokenId });
  const since = Date.now();
  const [, listened] = await ends;
  expect(Date.now() - since).toBeLessThan(LIMIT_MS);
  expect(listened).toContain('notifications/subscriptions/acknowledged');
  expect(
    (
      await post(
        peta.mcpUrl,
        { jsonrpc: '2.0', id: 1, method: 'ping' },
        { token: issued.secret, headers: { 'mcp-session-id': session } },
      )
    ).status,
  ).toBe(401);
});

test('a disabled person is out within a second, whatever the token', async () => {
  const token = await newToken();
  expect((await callTool(peta.mcpUrl, token, 'everything__echo', { message: 'x' })).status).toBe(200);
  await api.users.disable({ userId: 'ada' });
  await until(
    'the door closes',
    async () => (await callTool(peta.mcpUrl, token, 'everything__echo', { message: 'x' })).status === 401,
    LIMIT_MS,
  );
});

test('a tool that needs an approval is refused in words rather than run', async () => {
  const permissions = { everything: { enabled: true, tools: { echo: { enabled: true, dangerLevel: 2 as const } } } };
  await api.users.setPermissions({ userId: 'ada', permissions });
  const { json } = await callTool(peta.mcpUrl, await newToken(), 'everything__echo', { message: 'hi' });
  expect(json).toMatchObject({ result: { isError: true, content: [{ text: expect.stringContaining('approval') }] } });
});

test('every call, refusal and change is in the log, without secrets', async () => {
  const token = await newToken();
  await callTool(peta.mcpUrl, token, 'everything__echo', { message: 'logged', password: 'hunter2' }, 'my-id');
  await callTool(peta.mcpUrl, token, 'notes__list_notes', {});
  await callTool(peta.mcpUrl, 'peta_wrong-token-0123456789', 'everything__echo', {});
  const { records } = await api.audit.list({ limit: 200 });
  expect(records.find(({ requestId }) => requestId === '"my-id"')).toMatchObject({
    kind: 'call',
    userId: 'ada',
    operation: 'tools/call',
    serverId: 'everything',
    name: 'echo',
    client: 'raw 1',
    outcome: 'done',
    arguments: { message: 'logged', password: '[redacted]' },
    rule: 'layers',
  });
  expect(
    records.some(
      ({ userId, exposedName, outcome }) =>
        userId === 'ada' && exposedName === 'notes__list_notes' && outcome === 'refused',
    ),
  ).toBe(true);
  expect(records.some(({ kind, outcome }) => kind === 'auth' && outcome === 'refused')).toBe(true);
  expect(
    records.some(
      ({ kind, operation, name }) => kind === 'admin' && operation === 'users.setPermissions' && name === 'ada',
    ),
  ).toBe(true);
  const text = JSON.stringify(records);
  for (const secret of ['hunter2', token, ownerToken, 'peta_wrong']) expect(text).not.toContain(secret);
  const page = await api.audit.list({ limit: 5, userId: 'ada' });
  const next = await api.audit.list({ limit: 5, userId: 'ada', cursor: page.nextCursor ?? '' });
  expect(page.records.map(({ id }) => id)).not.toEqual(expect.arrayContaining(next.records.map(({ id }) => id)));
});
