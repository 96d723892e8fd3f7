import { expect, test, vi } from 'vitest';
import {
  type Admitted,
  type Arrival,
  type Ask,
  type Caller,
  type Definition,
  EVERYWHERE,
  type Freshness,
  type Outcome,
} from '#call';
import { readJson } from '#lib/json';
import { createEdge, type EdgeParts } from '../edge.ts';
import type { Exchange, Message } from '../exchange.ts';
import { createLive } from '../live.ts';
import { sessionful } from './2025-11-25.ts';
import { stateless } from './2026-07-28.ts';
import type { StreamStore } from './resumable.ts';
import type { SessionRef } from './session-streams.ts';

const caller: Caller = {
  workspaceId: 'w',
  kind: 'user',
  userId: 'ada',
  role: 3,
  tokenId: 't',
  scope: EVERYWHERE,
  operations: null,
  isAuditor: false,
  owner: null,
  endsAt: null,
  permissions: {},
  preferences: {},
};

const stale: Freshness = { ttlMs: 0, cacheScope: 'private' };
const freshness = {
  tools: { ttlMs: 7, cacheScope: 'public' as const },
  resources: stale,
  templates: stale,
  prompts: stale,
};
const declared = { extensions: { 'a/b': { c: 1 } } };

/** Both eras on one path that writes down what it is asked. */
const build = (outcome: Outcome, meanwhile: (ask: Ask) => void = () => {}, tools: Definition[] = []) => {
  const asked: Ask[] = [];
  const parts: EdgeParts = {
    path: {
      admit: async ({ bearer, client, ...rest }: Arrival): Promise<Admitted> => ({
        ...rest,
        caller,
        client: client ?? { name: 'session', version: '', capabilities: {} },
      }),
      list: async () => ({ tools: [{ name: 's__t' }], resources: [], templates: [], prompts: [], freshness, declared }),
      call: async (ask) => {
        asked.push(ask);
        meanwhile(ask);
        return outcome;
      },
      permits: async () => true,
    },
    live: createLive({
      readmit: async (admitted) => admitted,
      digests: () => ({ tools: '', resources: '', prompts: '' }),
    }),
    shownTools: () => tools,
    product: { name: 'peta', title: 'Peta', version: '0', instructions: '' },
    pageSize: 10,
    quietMs: 60_000,
    questionTimeoutMs: 60_000,
    rootsChanged: () => {},
  };
  const session: SessionRef = {
    id: 'the-session',
    client: { name: 'session', version: '', capabilities: {} },
    protocolVersion: '2025-11-25',
    isFromElsewhere: false,
    open: 0,
    logLevel: undefined,
    subscriptions: [],
  };
  const streamStore: StreamStore = {
    begin: async () => true,
    append: async () => true,
    replay: async () => undefined,
    adopt: async () => {},
  };
  const onFault = (error: unknown) => expect.unreachable(String(error));
  const mail = { send: async () => {}, listen: () => () => {} };
  const old = sessionful(
    { ...parts, streamStore, onFault, processId: 'this', mail, cancel: async () => {} },
    {
      create: async () => session,
      find: (id) => (id === session.id ? session : undefined),
      save: async () => {},
      end: async () => {},
    },
  );
  const serve = createEdge([stateless(parts), old]);

  const send = async (body: object, headers: Record<string, string>) => {
    const answers: { status: number; message: Message }[] = [];
    const stream = {
      send: (message: Message) => void answers.push({ status: 200, message }),
      sendText: (json: string) => void answers.push({ status: 200, message: JSON.parse(json) as Message }),
      prime: () => {},
      keepAlive: () => {},
      end: () => {},
      onClosed: () => {},
    };
    const exchange: Exchange = {
      method: 'POST',
      header: (name) => headers[name],
      arrival: { endpoint: '/mcp', bearer: 'b', address: '127.0.0.1' },
      body,
      gone: new AbortController().signal,
      json: (status, message) => void answers.push({ status, message }),
      empty: (status) => void answers.push({ status, message: {} }),
      stream: () => stream,
    };
    await serve(exchange);
    return answers;
  };
  return { asked, send };
};

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const modern = (method: string, params: object) =>
  [
    { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } },
    { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': 's__t' },
  ] as const;
const legacy = (method: string, params: object) =>
  [{ jsonrpc: '2.0', id: 1, method, params }, { 'mcp-session-id': 'the-session' }] as const;

const params = { name: 's__t', arguments: { a: 1 } };
const done: Outcome = { kind: 'done', result: { content: [] }, isToolError: false };

test('both eras put the same call on the path', async () => {
  const { asked, send } = build(done);
  await send(...modern('tools/call', params));
  await send(...legacy('tools/call', params));
  const [first, second] = asked.map(
    ({ callId: _c, notify: _n, signal: _s, question: _q, params: { _meta, ...own }, ...ask }) => ({ ...ask, own }),
  );
  expect(first).toEqual(second);
  expect(first).toMatchObject({ method: 'tools/call', kind: 'tool', exposedName: 's__t', requestId: 1, own: params });
});

test('each era tells a result in its own words', async () => {
  const { send } = build({ ...done, result: { resultType: 'complete', content: [], ttlMs: 5 } });
  const [old] = await send(...legacy('tools/call', params));
  expect(old?.message).toEqual({ jsonrpc: '2.0', id: 1, result: { content: [] } });
  const [young] = await send(...modern('tools/call', params));
  expect(young?.message).toMatchObject({ result: { resultType: 'complete', content: [] } });
  const [list] = await send(...modern('tools/list', {}));
  expect(list?.message).toMatchObject({ result: { tools: [{ name: 's__t' }], ttlMs: 7, cacheScope: 'public' } });
  const [oldList] = await send(...legacy('tools/list', {}));
  expect(oldList?.message.result).toEqual({ tools: [{ name: 's__t' }] });
});

test('a notification opens the stream, and the result follows on it', async () => {
  const { send } = build(done, ({ notify }) => notify('notifications/progress', { progress: 1 }));
  for (const one of [modern, legacy]) {
    const [body, headers] = one('tools/call', params);
    const answers = await send(body, headers);
    await vi.waitFor(() =>
      expect(answers.map(({ message }) => message.method ?? 'result')).toEqual(['notifications/progress', 'result']),
    );
  }
});

test('a resource that is not there has the code of its era, hidden or unknown', async () => {
  const { send } = build({ kind: 'refused', code: 'unknown-capability', reason: 'inside' });
  const [old] = await send(...legacy('resources/read', { uri: 's::x' }));
  expect(old?.message.error).toMatchObject({ code: -32002 });
  const [body, headers] = modern('resources/read', { uri: 's__t' });
  const [young] = await send(body, headers);
  expect(young?.message.error).toMatchObject({ code: -32602 });
  expect(JSON.stringify([old, young])).not.toContain('inside');
});

test.each([
  [-32002, undefined],
  [-32602, { uri: 'own:x' }],
])("a server's %i for a resource that is not there has the code of the client's era", async (code, data) => {
  const { send } = build({ kind: 'failed', error: { code, message: 'gone', data } });
  const [old] = await send(...legacy('resources/read', { uri: 's__t' }));
  const [young] = await send(...modern('resources/read', { uri: 's__t' }));
  expect(old?.message.error).toEqual({ code: -32002, message: 'gone', data: { uri: 's__t' } });
  expect(young?.message.error).toEqual({ code: -32602, message: 'gone', data: { uri: 's__t' } });
});

test("a server's other errors come as they are", async () => {
  const error = { code: -32602, message: 'no', data: { field: 'uri' } };
  const { send } = build({ kind: 'failed', error });
  for (const one of [modern, legacy]) {
    const [body, headers] = one('resources/read', { uri: 's__t' });
    const [answer] = await send(body, headers);
    expect(answer).toMatchObject({ status: 200, message: { error } });
  }
});

test('a client that lacks a capability learns it from the status too', async () => {
  const error = { code: -32021, message: 'no', data: { requiredCapabilities: { sampling: {} } } };
  const { send } = build({ kind: 'failed', error });
  const [answer] = await send(...modern('tools/call', params));
  expect(answer).toMatchObject({ status: 400, message: { error } });
});

test('what was read after questions holds for no time', async () => {
  const result = { contents: [], ttlMs: 500, cacheScope: 'public' };
  const { send } = build({ ...done, result });
  const [first] = await send(...modern('resources/read', { uri: 's__t' }));
  expect(first?.message.result).toMatchObject({ ttlMs: 500, cacheScope: 'private' });
  const [again] = await send(...modern('resources/read', { uri: 's__t', inputResponses: {} }));
  expect(again?.message.result).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
});

test('both eras tell what Peta offers and what the servers declare beside it', async () => {
  const { send } = build(done);
  const [young] = await send(...modern('server/discover', {}));
  const clientInfo = { name: 'c', version: '1' };
  const start = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const [old] = await send({ jsonrpc: '2.0', id: 1, method: 'initialize', params: start }, {});
  for (const answer of [young, old])
    expect(answer?.message.result).toMatchObject({ capabilities: { tools: { listChanged: true }, ...declared } });
});

test('an id beyond 2^53 comes back with its digits', async () => {
  for (const one of [modern, legacy]) {
    const { asked, send } = build(done);
    const [body, headers] = one('tools/call', params);
    const [answer] = await send({ ...body, id: readJson('90071992547409930001') }, headers);
    expect(JSON.stringify(answer?.message)).toContain('"id":90071992547409930001');
    expect(JSON.stringify(asked[0]?.requestId)).toBe('90071992547409930001');
  }
});

test('a cancelled call is answered no more', async () => {
  const { send } = build({ kind: 'cancelled' });
  expect((await send(...legacy('tools/call', params))).map(({ message }) => message)).toEqual([]);
});

test.each([
  ['as the body says', { region: 'us' }, { 'mcp-param-region': 'us' }, 200],
  ['in the Base64 form', { region: 'us' }, { 'mcp-param-region': '=?base64?dXM=?=' }, 200],
  ['absent with the value', { region: null }, {}, 200],
  ['that differs', { region: 'us' }, { 'mcp-param-region': 'eu' }, 400],
  ['in broken Base64', { region: 'us' }, { 'mcp-param-region': '=?base64?dXM?=' }, 400],
  ['that is missing', { region: 'us' }, {}, 400],
  ['without a value', {}, { 'mcp-param-region': 'us' }, 400],
])('a header of a marked parameter %s', async (_what, args, headers, status) => {
  const properties = { region: { type: 'string', 'x-mcp-header': 'Region' } };
  const { asked, send } = build(done, () => {}, [{ name: 's__t', inputSchema: { type: 'object', properties } }]);
  const [body, own] = modern('tools/call', { name: 's__t', arguments: args });
  const [answer] = await send(body, { ...own, ...headers });
  expect(answer?.status).toBe(status);
  expect(asked).toHaveLength(status === 200 ? 1 : 0);
  if (status === 400) expect(answer?.message).toMatchObject({ id: 1, error: { code: -32020 } });
});

test('a page that is needed first, for a client that takes none, is a missing capability in the newer era alone', async () => {
  const { send } = build({ kind: 'failed', error: { code: -32042, message: 'Visit', data: { elicitations: [{}] } } });
  const [young] = await send(...modern('tools/call', params));
  expect(young).toMatchObject({
    status: 400,
    message: { error: { code: -32021, data: { requiredCapabilities: { elicitation: { url: {} } } } } },
  });
  const [old] = await send(...legacy('tools/call', params));
  expect(old).toMatchObject({ status: 200, message: { error: { code: -32042, data: { elicitations: [{}] } } } });
});

test('the newer era knows no ids of pages, and is not told that one was done with', async () => {
  const page = { mode: 'url', url: 'https://a.example', message: 'Go' };
  const questions = { q1: { method: 'elicitation/create', params: { ...page, elicitationId: 'x' } } };
  const done = ({ notify }: Ask) => notify('notifications/elicitation/complete', { elicitationId: 'x' });
  const { send } = build({ kind: 'asks', questions, state: 's' }, done);
  const answers = await send(...modern('tools/call', params));
  const inputRequests = { q1: { method: 'elicitation/create', params: page } };
  expect(answers.map(({ message }) => message.result)).toEqual([
    { resultType: 'input_required', inputRequests, requestState: 's' },
  ]);
});
