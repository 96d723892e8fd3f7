import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { createBridge } from './bridge.ts';
import { createEndpoint } from './endpoint.ts';
import type { Message } from './message.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address?.port}/mcp`;
};

/** Everything the client of a bridge to that address sees for these lines. */
const carry = async (mcpUrl: string, ...lines: object[]): Promise<Message[]> => {
  const seen: Message[] = [];
  const endpoint = createEndpoint(mcpUrl, undefined);
  const bridge = createBridge({ endpoint, write: (message) => seen.push(message), note: () => {}, patienceMs: 300 });
  for (const line of lines) bridge.take(JSON.stringify({ jsonrpc: '2.0', ...line }));
  await bridge.close(5_000);
  return seen;
};

const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
const call = { id: 7, method: 'tools/call', params: { name: 'echo', _meta } };
const errorOf = (message: string) => [{ jsonrpc: '2.0', id: 7, error: { code: -32603, message } }];

test('where nothing listens, the request is answered once patience has ended', async () => {
  const mcpUrl = await serve(() => {});
  for (const close of closers.splice(0)) close();
  expect(await carry(mcpUrl, call)).toEqual(errorOf(`Peta does not answer at ${mcpUrl}. Is it running?`));
});

test('a request whose connection breaks is answered, and not sent a second time', async () => {
  let received = 0;
  const mcpUrl = await serve((request) => {
    received += 1;
    request.socket.destroy();
  });
  expect(await carry(mcpUrl, call)).toEqual(
    errorOf(`The connection to Peta at ${mcpUrl} was lost before the answer came.`),
  );
  expect(received).toBe(1);
});

test('a request whose stream ends without its answer is answered', async () => {
  const mcpUrl = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end('data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}\n\n');
  });
  const [progress, ...rest] = await carry(mcpUrl, call);
  expect(progress?.method).toBe('notifications/progress');
  expect(rest).toEqual(errorOf('Peta ended the stream before the answer.'));
});

test('the headers of 2026-07-28 repeat the body, also a name that no header can hold', async () => {
  const seen: unknown[] = [];
  const mcpUrl = await serve((request, response) => {
    const { 'mcp-method': method, 'mcp-name': name, 'mcp-protocol-version': version } = request.headers;
    seen.push([version, method, name]);
    response.setHeader('content-type', 'application/json').end('{"jsonrpc":"2.0","id":7,"result":{}}');
  });
  await carry(mcpUrl, call);
  await carry(mcpUrl, { id: 7, method: 'resources/read', params: { uri: 'notes://ä', _meta } });
  await carry(mcpUrl, { id: 7, method: 'prompts/get', params: { name: ' padded', _meta } });
  await carry(mcpUrl, { id: 7, method: 'tools/list', params: { name: 'not a name', _meta } });
  expect(seen).toEqual([
    ['2026-07-28', 'tools/call', 'echo'],
    ['2026-07-28', 'resources/read', '=?base64?bm90ZXM6Ly/DpA==?='],
    ['2026-07-28', 'prompts/get', '=?base64?IHBhZGRlZA==?='],
    ['2026-07-28', 'tools/list', undefined],
  ]);
});

test('a session sends its id and the revision that was agreed, and is ended at the end', async () => {
  const seen: unknown[] = [];
  const mcpUrl = await serve((request, response) => {
    seen.push([request.method, request.headers['mcp-session-id'], request.headers['mcp-protocol-version']]);
    if (request.method === 'GET') return response.writeHead(405).end();
    response.setHeader('mcp-session-id', 's1').setHeader('content-type', 'application/json');
    const [first] =
      seen.length === 1
        ? ['{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18"}}']
        : ['{"jsonrpc":"2.0","id":2,"result":{}}'];
    response.end(first);
  });
  await carry(mcpUrl, { id: 1, method: 'initialize', params: {} }, { id: 2, method: 'ping' });
  expect(seen).toEqual([
    ['POST', undefined, undefined],
    ['POST', 's1', '2025-06-18'],
    ['DELETE', 's1', '2025-06-18'],
  ]);
});
