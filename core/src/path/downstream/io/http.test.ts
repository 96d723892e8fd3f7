import { afterEach, expect, test, vi } from 'vitest';
import type { Connection } from '../connection.ts';
import { RpcError, ServerUnavailable, SessionExpired } from '../errors.ts';
import type { Ending } from '../tap.ts';
import {
  callTool,
  cleanUp,
  event,
  failure,
  json,
  legacy,
  modern,
  type Reply,
  reach,
  result,
  rpcError,
  serve,
  serveLegacy,
  serveModern,
  stream,
} from './test-server.ts';

afterEach(cleanUp);

test.each([
  [404, 'Session not found'],
  [400, '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}'],
])('a forgotten session (%i) is told apart, and calls under way elsewhere go on', async (status, text) => {
  let answerSlow = () => {};
  const { url } = await serveLegacy((request, response, message) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    if (message.params?.name !== 'slow') return response.writeHead(status).end(text);
    answerSlow = () => json(response, 200, result(message, { slow: true }));
  });
  const connection = await legacy(url);
  const endings: Ending[] = [];
  connection.onClosed((ending) => endings.push(ending));
  const slow = callTool(connection, 'slow');
  expect(await failure(callTool(connection))).toBeInstanceOf(SessionExpired);
  expect(endings).toEqual([{ kind: 'expired', reason: 'The server no longer knows this session.' }]);
  expect(await failure(callTool(connection))).toBeInstanceOf(ServerUnavailable);
  answerSlow();
  expect(await slow).toEqual({ slow: true });
});

test('a method that a modern server does not know is its answer, though HTTP says 404', async () => {
  const { url } = await serveModern((_request, response, message) => json(response, 404, rpcError(message, -32601)));
  const connection = await modern(url);
  const error = await failure(callTool(connection));
  expect(error).toBeInstanceOf(RpcError);
  expect(error).toMatchObject({ code: -32601 });
  expect(await failure(callTool(connection))).toBeInstanceOf(RpcError);
});

test.each([
  [401, 'check the headers it is registered with'],
  [500, 'The server answered with HTTP 500.'],
])('an HTTP %i is told without what the server wrote, which may be the secret it was sent', async (status, words) => {
  const { url } = await serve((request, response) =>
    response.writeHead(status).end(`bad ${request.headers.authorization}`),
  );
  const headers = { authorization: 'Bearer hunter2' };
  for (const mcpProtocol of ['auto', 'legacy']) {
    const error = await failure(reach({ type: 'http', url, headers, mcpProtocol }));
    expect(error.message).toContain(words);
    expect(error.message).not.toContain('hunter2');
  }
  const error = await failure(reach({ type: 'sse', url, headers }));
  expect(error.message).toContain(words);
  expect(error.message).not.toContain('hunter2');
});

test.each([
  ['a password in the address', { url: 'http://me:hunter2@127.0.0.1:1/' }, 'Authorization header instead'],
  ['a header that HTTP cannot carry', { url: 'http://127.0.0.1:1/', headers: { 'x-key': 'a\nhunter2' } }, '"x-key"'],
  ['a server that is not there', { url: 'http://127.0.0.1:1/' }, 'cannot be reached (ECONNREFUSED)'],
])('%s is refused with a sentence that holds no secret', async (_what, config, words) => {
  // fetch refuses port 1 unread, so that a port that was free a moment ago stands for nobody.
  const { server, url } = await serve(() => {});
  await new Promise((done) => server.close(done));
  const target = { ...config, url: config.url.replace('127.0.0.1:1/', new URL(url).host) };
  for (const type of ['http', 'sse']) {
    const { message } = await failure(reach({ type, ...target }));
    expect(message).toContain(words);
    expect(message).not.toContain('hunter2');
  }
});

test('credentials do not follow a redirect to another address', async () => {
  const stolen: unknown[] = [];
  const thief = await serve((request, response) => {
    stolen.push(request.headers.authorization);
    response.writeHead(500).end();
  });
  const { url } = await serve((_request, response) => response.writeHead(307, { location: thief.url }).end());
  for (const config of [{ type: 'http', mcpProtocol: 'legacy' }, { type: 'http' }, { type: 'sse' }])
    await failure(reach({ ...config, url, headers: { authorization: 'Bearer hunter2' } }));
  expect(stolen).toEqual([]);
  const error = await failure(legacy(url));
  expect(error.message).toContain('redirects to another address (HTTP 307)');
});

test('a modern server is told of a cancellation by the closed stream, an older one by a notification', async () => {
  const hang =
    (told: string[]): Reply =>
    (request, response, message) => {
      if (request.method !== 'POST') return response.writeHead(405).end();
      if (message.method === 'tools/call') return response.on('close', () => told.push('closed'));
      if (message.method !== 'notifications/cancelled') return json(response, 404, rpcError(message, -32601));
      told.push('notified');
      response.writeHead(202).end();
    };
  const cancelOne = async (connection: Connection) => {
    const abort = new AbortController();
    const call = failure(callTool(connection, 'any', abort.signal));
    setTimeout(() => abort.abort(new Error('gone')), 50);
    expect((await call).message).toBe('gone');
  };
  const toldModern: string[] = [];
  await cancelOne(await modern((await serveModern(hang(toldModern))).url));
  await vi.waitFor(() => expect(toldModern).toEqual(['closed']));
  const toldLegacy: string[] = [];
  await cancelOne(await legacy((await serveLegacy(hang(toldLegacy))).url));
  await vi.waitFor(() => expect(toldLegacy.toSorted()).toEqual(['closed', 'notified']));
  expect(toldModern).toEqual(['closed']);
});

test('a modern server gets its envelope; what the caller says in its place does not pass', async () => {
  const seen: unknown[] = [];
  const { url } = await serveModern((request, response, message) => {
    if (message.method !== 'tools/call') return json(response, 404, rpcError(message, -32601));
    seen.push({ meta: message.params?._meta, header: request.headers['mcp-name'] });
    json(response, 200, result(message, { ok: true }));
  });
  const connection = await modern(url);
  const _meta = { traceparent: 't', 'io.modelcontextprotocol/clientInfo': { name: 'forged' } };
  await connection.request('tools/call', { name: 'any', _meta }, { timeoutMs: 1_000 });
  expect(seen).toEqual([
    {
      header: 'any',
      meta: {
        traceparent: 't',
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'peta', version: '0' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  ]);
});

test('a modern server whose stream of changes ends is subscribed to again, and listed again', async () => {
  let subscriptions = 0;
  const { url } = await serveModern((_request, response, message) => {
    if (message.method !== 'subscriptions/listen') return json(response, 404, rpcError(message, -32601));
    subscriptions += 1;
    stream(response);
    event(response, {
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        _meta: { 'io.modelcontextprotocol/subscriptionId': message.id },
        notifications: { toolsListChanged: true },
      },
    });
    if (subscriptions === 1) setTimeout(() => response.end(), 50);
  });
  const connection = await modern(url);
  const changed: string[] = [];
  connection.onListChanged((kind) => changed.push(kind));
  expect(subscriptions).toBe(1);
  await vi.waitFor(() => expect(changed).toContain('tools'), 5_000);
  expect(subscriptions).toBe(2);
});

test('a modern server gets the parameters its tools mark in headers too, as they were last listed', async () => {
  const seen: unknown[] = [];
  const properties = { region: { type: 'string', 'x-mcp-header': 'Region' } };
  const { url } = await serveModern((request, response, message) => {
    if (message.method === 'tools/list')
      return json(response, 200, result(message, { tools: [{ name: 'any', inputSchema: { properties } }] }));
    if (message.method !== 'tools/call') return json(response, 404, rpcError(message, -32601));
    const { 'mcp-param-region': region, 'mcp-method': method } = request.headers;
    seen.push({ region, method });
    if (region === undefined) return json(response, 400, rpcError(message, -32020));
    json(response, 200, result(message, { ok: true }));
  });
  const connection = await modern(url);
  const call = { name: 'any', arguments: { region: 'Zürich' } };
  expect(await connection.request('tools/call', call, { timeoutMs: 1_000 })).toEqual({ ok: true });
  expect(await connection.request('tools/call', call, { timeoutMs: 1_000 })).toEqual({ ok: true });
  const method = 'tools/call';
  const region = '=?base64?WsO8cmljaA==?=';
  expect(seen).toEqual([
    { method, region: undefined },
    { method, region },
    { method, region },
  ]);
});

test('an older server is shown as it is, marks and all', async () => {
  const tools = [{ name: 'any', inputSchema: { properties: { a: { 'x-mcp-header': '' } } } }];
  const { url } = await serveLegacy((request, response, message) =>
    request.method === 'POST' ? json(response, 200, result(message, { tools })) : response.writeHead(405).end(),
  );
  expect(await (await legacy(url)).request('tools/list', {}, { timeoutMs: 1_000 })).toEqual({ tools });
});

test.each([
  ['answers late', 100, ['answered', 'called']],
  ['does not answer before it has something to say', 5_000, ['called']],
])(
  'no call is sent before the stream is open on which the server may ask, though not for ever (it %s)',
  async (_how, ms, order) => {
    const seen: string[] = [];
    const { url } = await serveLegacy((request, response, message) => {
      if (request.method === 'DELETE') return response.writeHead(200).end();
      if (request.method !== 'GET') {
        seen.push('called');
        return json(response, 200, result(message, {}));
      }
      const answer = () => {
        seen.push('answered');
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      };
      const timer = setTimeout(answer, ms);
      response.on('close', () => clearTimeout(timer));
    });
    await callTool(await legacy(url));
    expect(seen).toEqual(order);
  },
);
