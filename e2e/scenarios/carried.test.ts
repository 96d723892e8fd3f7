import { join } from 'node:path';
import type { Client } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectLegacy, textOf } from '../harness/clients.ts';
import { becomeOwner, cleanUp, ROOT, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { initialize, post, VERSION_META } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
let token: string;

const SERVERS = ['legacy', 'modern'] as const;
const SHAPES = { 'com.example/shapes': { sides: [4, 3], z: { deep: null }, a: 1.5 } };

const register = async (serverId: string, file: string, args: string[]) => {
  const command = process.execPath;
  await api.servers.create({
    serverId,
    launchConfig: { type: 'stdio', command, args: [join(ROOT, `e2e/servers/${file}.ts`), ...args] },
    anonymousRateLimit: 1000,
  });
  await until(`${serverId} is listed`, async () => {
    const { capabilities } = await api.capabilities.ofServer({ serverId });
    return Object.keys(capabilities.tools).length > 0;
  });
};

const at = (endpoint: string) => `${peta.url}${endpoint}`;
const bare = (name: string) => at(`/mcp/e/${name}`);

type Result = Record<string, unknown>;
type Answered = { result: Result; error: { code: number; data: unknown } };

/** One request of 2026-07-28; without a token as anybody. */
const ask = async (url: string, method: string, params: Result = {}, as?: string, capabilities: object = {}) => {
  const named = params.uri ?? params.name;
  const headers = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof named === 'string' && { 'mcp-name': named }),
  };
  const _meta = { ...VERSION_META, 'io.modelcontextprotocol/clientCapabilities': capabilities };
  const body = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } };
  const { json } = await post(url, body, { headers, ...(as !== undefined && { token: as }) });
  return json as Answered;
};

/** The same in a session of 2025-11-25. */
const askInSession = async (url: string, method: string, params: Result = {}) => {
  const headers = { 'mcp-session-id': await initialize(url) };
  const { json } = await post(url, { jsonrpc: '2.0', id: 1, method, params }, { headers });
  return json as Answered;
};

const initialized = async (url: string) => {
  const clientInfo = { name: 'raw', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const { json } = await post(url, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
  return (json as Answered).result;
};

beforeAll(async () => {
  peta = await startPeta();
  ({ api, token } = await becomeOwner(peta));
  await Promise.all([
    ...SERVERS.map((era) => register(era, 'extended', ['--era', era])),
    register('fast', 'fast', ['--stdio']),
  ]);
  const open = { anonymous: true, nameStyle: 'none' as const };
  for (const name of [...SERVERS, 'fast'])
    await api.endpoints.create({ name, ...open, selection: [{ serverId: name }] });
  const selection = ['modern', 'fast', 'legacy'].map((serverId) => ({ serverId }));
  await api.endpoints.create({ name: 'all', anonymous: true, selection });
});
afterAll(cleanUp);

describe.each(SERVERS)('of a server of the %s era', (era) => {
  const experimental = { [`com.example/${era}`]: { on: true } };

  test('clients of both eras learn the extensions as it declares them', async () => {
    const { result } = await ask(bare(era), 'server/discover');
    for (const { capabilities } of [result, await initialized(bare(era))]) {
      expect(JSON.stringify(capabilities)).toContain(JSON.stringify(SHAPES).slice(1, -1));
      expect(capabilities).toMatchObject({ tools: { listChanged: true }, experimental });
    }
  });

  test('a resource that is not there is told in the words of the client', async () => {
    const [young, old] = await Promise.all([
      ask(bare(era), 'resources/read', { uri: 'note://2' }),
      askInSession(bare(era), 'resources/read', { uri: 'note://2' }),
    ]);
    expect(young.error).toMatchObject({ code: -32602, data: { uri: 'note://2' } });
    expect(old.error).toMatchObject({ code: -32002, data: { uri: 'note://2' } });
  });

  test('an array that a tool returns reaches an old client as text, and the list does not break for it', async () => {
    const client = await connectLegacy(bare(era), undefined);
    expect((await client.listTools()).tools).toMatchObject([{ name: 'declared' }]);
    const result = await client.callTool({ name: 'declared' });
    expect(result).not.toHaveProperty('structuredContent');
    expect(JSON.parse(textOf(result))).toEqual([{}]);
    await client.close();
    const young = await ask(bare(era), 'tools/call', { name: 'declared' });
    expect(young.result).toMatchObject({ content: [], structuredContent: [{}] });
  });
});

test('an endpoint of several servers declares what any of them does, and one without declares Peta’s own alone', async () => {
  const { result } = await ask(bare('all'), 'server/discover');
  expect(result.capabilities).toMatchObject({
    extensions: SHAPES,
    experimental: { 'com.example/modern': { on: true }, 'com.example/legacy': { on: true } },
  });
  const none = await ask(bare('fast'), 'server/discover');
  expect(none.result.capabilities).toHaveProperty('extensions', { 'io.modelcontextprotocol/tasks': {} });
});

test('nobody learns of the extensions of servers that they may not see', async () => {
  await api.users.create({ userId: 'sam', name: 'Sam', permissions: { modern: { enabled: true } } });
  const { secret } = await api.tokens.issue({ userId: 'sam', scope: {} });
  const { result } = await ask(at('/mcp'), 'server/discover', {}, secret);
  expect(result.capabilities).toMatchObject({ experimental: { 'com.example/modern': { on: true } } });
  expect(JSON.stringify(result.capabilities)).not.toContain('com.example/legacy');
});

test("a server learns of the client's own extensions", async () => {
  const capabilities = { extensions: { 'com.example/view': { mimeTypes: ['text/html'] } } };
  const { result } = await ask(bare('modern'), 'tools/call', { name: 'declared' }, undefined, capabilities);
  expect(result.structuredContent).toEqual([capabilities]);
});

describe('hints for caches', () => {
  const hint = async (url: string, method: string, params: Result = {}, as?: string) => {
    const { ttlMs, cacheScope } = (await ask(url, method, params, as)).result;
    return [ttlMs, cacheScope];
  };

  test('are those of the server where it stands alone', async () => {
    expect(await hint(bare('modern'), 'tools/list')).toEqual([90_000, 'public']);
    expect(await hint(bare('modern'), 'resources/list')).toEqual([70_000, 'public']);
    expect(await hint(bare('modern'), 'resources/read', { uri: 'note://1' })).toEqual([5_000, 'public']);
  });

  test('let nobody share what was shown to somebody known', async () => {
    expect(await hint(bare('modern'), 'tools/list', {}, token)).toEqual([90_000, 'private']);
    expect(await hint(bare('modern'), 'resources/read', { uri: 'note://1' }, token)).toEqual([5_000, 'private']);
  });

  test('are the strictest of all servers, and a server that gives none forbids it', async () => {
    expect(await hint(bare('legacy'), 'tools/list')).toEqual([0, 'private']);
    expect(await hint(bare('all'), 'tools/list')).toEqual([0, 'private']);
    expect(await hint(bare('modern'), 'prompts/list')).toEqual([0, 'private']);
  });

  test('are no matter of old clients', async () => {
    const { result } = await askInSession(bare('modern'), 'tools/list');
    expect(Object.keys(result)).toEqual(['tools']);
  });
});
