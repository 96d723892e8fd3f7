/** Two workspaces of one Peta: by MCP, in both eras, the one is asked for everything that the other has. */
import { execFileSync } from 'node:child_process';
import { createClient } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectModern } from '../harness/clients.ts';
import { openStream } from '../harness/events.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, initialize, post, VERSION_META } from '../harness/raw.ts';
import { createTenant, machineOf, type Tenant } from '../harness/tenants.ts';

type Json = Record<string, unknown>;
let peta: RunningPeta;
let a: Tenant;
let b: Tenant;

beforeAll(async () => {
  peta = await startPeta();
  await becomeOwner(peta);
  [a, b] = [await createTenant(peta, 'agiraffe'), await createTenant(peta, 'bzebra')];
}, 120_000);
afterAll(cleanUp);

const at = (path: string) => `${peta.url}${path}`;
const PLACES = ['/mcp', '/mcp/e/tools', '/mcp/e/endpoint-agiraffe'];
const NOBODY = 'nobody';
/** The same question about what nobody has. */
const ghostly = <T>(value: T): T => {
  const text = JSON.stringify(value).replaceAll(b.mark, NOBODY);
  return JSON.parse(text.replaceAll(b.taskId, 'A'.repeat(22)).replaceAll(b.session, 'A'.repeat(32)));
};
const leakIn = (text: string): string | undefined => new RegExp(`.{0,60}${b.mark}.{0,60}`).exec(text)?.[0];
/** An answer without what was asked. */
const plain = (text: string): string =>
  [b.mark, NOBODY, b.taskId, 'A'.repeat(22), b.session, 'A'.repeat(32)].reduce(
    (left, one) => left.replaceAll(one, '#'),
    text,
  );

/** What B has, by every method that takes the name of something. */
const questions = (): [string, Json][] => {
  const uris = [`marked://${b.mark}`, `marked://${b.mark}/1`, `peta://server-${b.mark}/marked://${b.mark}`];
  const name = `greet_${b.mark}`;
  return [
    ...[`server-${b.mark}__tell`, `server-${b.mark}::tell`, `shared__tell_${b.mark}`, `shared::tell_${b.mark}`].map(
      (tool): [string, Json] => ['tools/call', { name: tool, arguments: {} }],
    ),
    ...[`server-${b.mark}__greet`, `shared__${name}`].map((prompt): [string, Json] => [
      'prompts/get',
      { name: prompt, arguments: { name: 'x' } },
    ]),
    ...uris.map((uri): [string, Json] => ['resources/read', { uri }]),
    ...uris.map((uri): [string, Json] => ['resources/subscribe', { uri }]),
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: `shared__${name}` }, argument: { name: 'name', value: '' } },
    ],
    ...['tasks/get', 'tasks/result', 'tasks/cancel', 'tasks/update'].map((method): [string, Json] => [
      method,
      { taskId: b.taskId, ...(method === 'tasks/update' && { inputResponses: {} }) },
    ]),
  ];
};

const LISTS = [
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'prompts/list',
  'tasks/list',
  'server/discover',
];

type Ask = (method: string, params: Json) => Promise<{ status: number; text: string }>;
const capabilities = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } };
const askers: Record<string, (path: string, token: string) => Promise<Ask>> = {
  '2025-11-25': async (path, token) => {
    const session = await initialize(at(path), token);
    return (method, params) =>
      post(at(path), { jsonrpc: '2.0', id: 1, method, params }, { token, headers: { 'mcp-session-id': session } });
  },
  '2026-07-28': async (path, token) => (method, params) => {
    const name = params.name ?? params.uri ?? params.taskId;
    const _meta = { ...VERSION_META, 'io.modelcontextprotocol/clientCapabilities': capabilities };
    return post(
      at(path),
      { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } },
      {
        token,
        headers: {
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': method,
          ...(typeof name === 'string' && { 'mcp-name': name }),
        },
      },
    );
  },
};

describe.each(Object.entries(askers))('a client of %s', (_era, connect) => {
  test.each(['owner', 'user'] as const)('of the %s of A finds nothing of B in any list', async (role) => {
    for (const path of [...PLACES, '/mcp/public']) {
      const ask = await connect(path, a.tokens[role]);
      const answers = await Promise.all(LISTS.map((method) => ask(method, {})));
      expect([path, answers.map(({ text }) => leakIn(text))]).toEqual([path, LISTS.map(() => undefined)]);
      expect(answers[0]?.text).toContain(path === '/mcp/public' ? `server-${a.mark}__tell` : 'shared__tell');
    }
  });

  test('is told of what is B’s what is told of what does not exist', async () => {
    for (const path of PLACES) {
      const ask = await connect(path, a.tokens.owner);
      for (const [method, params] of questions()) {
        const [ofTheirs, ofGhost] = [await ask(method, params), await ask(method, ghostly(params))];
        const what = [path, method, JSON.stringify(params), ofTheirs.status];
        expect([...what, plain(ofTheirs.text)]).toEqual([...what.slice(0, 3), ofGhost.status, plain(ofGhost.text)]);
        expect(leakIn(plain(ofTheirs.text))).toBeUndefined();
      }
    }
    const mine = await (await connect('/mcp', b.tokens.owner))('tools/call', {
      name: `shared__tell_${b.mark}`,
      arguments: {},
    });
    expect(mine.text).toContain(b.mark);
  });
});

describe('an address', () => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const hits: [string, (url: string, token?: string) => Promise<{ status: number; text: string }>][] = [
    ['POST', (url, token) => post(url, ping, token === undefined ? {} : { token })],
    ...['HEAD', 'GET', 'DELETE'].map(
      (method): [string, (url: string, token?: string) => Promise<{ status: number; text: string }>] => [
        method,
        async (url, token) => {
          const headers = { accept: 'text/event-stream', ...(token && { authorization: `Bearer ${token}` }) };
          const response = await fetch(url, { method, headers });
          return {
            status: response.status,
            text: `${response.headers.get('www-authenticate')} ${await response.text()}`,
          };
        },
      ],
    ),
  ];

  test('of an endpoint that only B has is to A, to a wrong token and to nobody as one that nobody has', async () => {
    for (const suffix of ['', '/sse', '/messages?sessionId=x'])
      for (const [method, hit] of hits)
        for (const token of [a.tokens.owner, a.tokens.user, 'peta_wrong', undefined]) {
          if (suffix.startsWith('/messages') && method !== 'POST') continue;
          const ask = async (mark: string) => {
            const { status, text } = await hit(at(`/mcp/e/endpoint-${mark}${suffix}`), token);
            return [method, suffix, status, plain(text)];
          };
          expect(await ask(b.mark)).toEqual(await ask(NOBODY));
        }
  });

  test('of an endpoint that lets anybody in does so in the first workspace alone', async () => {
    for (const path of ['/mcp/e/tools', `/mcp/e/endpoint-${b.mark}`, '/mcp/public'])
      expect((await post(at(path), ping)).status).toBe(401);
    const { endpoints } = await b.api.endpoints.list({});
    for (const { notes } of endpoints) expect(notes).toEqual([expect.stringContaining('needs a token all the same')]);
  });

  test('that both have shows each its own', async () => {
    for (const tenant of [a, b]) {
      const { text } = await callTool(at('/mcp/e/tools'), tenant.tokens.user, 'shared__tell', {});
      expect(text).toContain(tenant.mark);
    }
  });
});

describe('a session of B', () => {
  test('is to A one that nobody has, whatever is asked of it, and goes on', async () => {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    for (const token of [a.tokens.owner, a.tokens.user])
      for (const [method, sent] of [
        ['POST', body],
        ['GET', {}],
        ['DELETE', {}],
      ] as const) {
        const ask = async (session: string) => {
          const { status, text } = await post(peta.mcpUrl, sent, {
            token,
            method,
            headers: { 'mcp-session-id': session, 'last-event-id': `${session}_1` },
          });
          return [method, status, plain(text)];
        };
        expect(await ask(b.session)).toEqual(await ask('A'.repeat(32)));
        expect((await ask(b.session))[1]).toBe(404);
      }
    const headers = { 'mcp-session-id': b.session };
    expect((await post(peta.mcpUrl, body, { token: b.tokens.owner, headers })).status).toBe(200);
  });
});

describe('a stream', () => {
  const isListChanged = ({ message }: { message: Json }) => message.method === 'notifications/tools/list_changed';

  /** Whatever clients of B are told of. */
  const stirB = async () => {
    await callTool(peta.mcpUrl, b.tokens.owner, 'shared__grow', {});
    await b.api.endpoints.update({ name: 'tools', description: 'other' });
    await b.api.servers.setCapabilities({
      serverId: 'shared',
      capabilities: { enabled: true, tools: { fail: { enabled: false } } },
    });
    await b.api.users.update({ userId: `user-${b.mark}`, permissions: { shared: { enabled: false } } });
  };

  test('of A hears of what changes in A, and of nothing that changes in B', async () => {
    const session = await initialize(peta.mcpUrl, a.tokens.owner);
    const stream = await openStream(peta.mcpUrl, { token: a.tokens.owner, session });
    const heard: { message: Json }[] = [];
    void (async () => {
      for (let event = await stream.next(); event; event = await stream.next()) heard.push(event);
    })();
    await stirB();
    await new Promise((done) => setTimeout(done, 1_500));
    expect(heard.filter(({ message }) => 'method' in message)).toEqual([]);
    await callTool(peta.mcpUrl, a.tokens.owner, 'shared__grow', {});
    await until('A hears of its own', async () => heard.some(isListChanged));
    stream.cut();
  });

  test('of a client of A of the newer era hears as little of B', async () => {
    const client = await connectModern(peta.mcpUrl, a.tokens.owner);
    const heard: string[] = [];
    await client.onListChanged((kind) => heard.push(kind));
    await stirB();
    await new Promise((done) => setTimeout(done, 1_500));
    expect(heard).toEqual([]);
    await callTool(peta.mcpUrl, a.tokens.owner, 'shared__grow', {});
    await until('A hears of its own', async () => heard.includes('tools'));
    await client.close();
  });
});

test('a workspace that is removed ends with everything in it, and no other notices', async () => {
  const runs = (mark: string) =>
    execFileSync('ps', ['-ww', '-eo', 'args'], { encoding: 'utf8' }).includes(`marked.ts ${mark}`);
  const stream = await openStream(peta.mcpUrl, { token: b.tokens.owner, session: b.session });
  expect([stream.status, runs(a.mark), runs(b.mark)]).toEqual([200, true, true]);
  const { token } = machineOf(peta.home);
  const installation = createClient(peta.url, { token });
  await installation.workspaces.remove({ workspaceId: `workspace-${b.mark}` });
  await stream.rest();
  for (const one of Object.values(b.tokens))
    expect((await callTool(peta.mcpUrl, one, 'shared__tell', {})).status).toBe(401);
  await until('its servers have stopped', async () => !runs(b.mark));
  expect(runs(a.mark)).toBe(true);
  expect((await callTool(peta.mcpUrl, a.tokens.owner, 'shared__tell', {})).text).toContain(a.mark);

  const again = await createTenant(peta, b.mark);
  const { records } = await again.api.audit.list({ operation: 'setup.complete' });
  expect(records).toHaveLength(1);
  expect(JSON.stringify(await installation.audit.list({ limit: 1000 }))).not.toContain(`Notes ${b.mark}`);
}, 60_000);
