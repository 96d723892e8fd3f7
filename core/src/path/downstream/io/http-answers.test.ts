import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { ServerUnavailable } from '../errors.ts';
import type { Ending } from '../tap.ts';
import {
  callTool,
  cleanUp,
  event,
  failure,
  json,
  legacy,
  reach,
  result,
  serveLegacy,
  serveSse,
  stream,
} from './test-server.ts';

afterEach(cleanUp);

test('an answer that ends halfway fails the call at once', async () => {
  const { url } = await serveLegacy((request, response) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    stream(response).write(': begun\n\n');
    setTimeout(() => response.destroy(), 50);
  });
  const error = await failure(callTool(await legacy(url)));
  expect(error.message).toBe('The server ended the answer before it was complete.');
});

test('a result nested too deeply fails its call with a sentence, and a notification like that reaches nobody', async () => {
  const nest = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const { url } = await serveLegacy((request, response, message) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    const id = JSON.stringify(message.id);
    stream(response).write(
      `data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${id},"x":${nest(5_000)}}}\n\n`,
    );
    const levels = message.params?.name === 'deep' ? 5_000 : 200;
    return response.end(`data: {"jsonrpc":"2.0","id":${id},"result":{"x":${nest(levels)}}}\n\n`);
  });
  const connection = await legacy(url);
  expect((await failure(callTool(connection, 'deep'))).message).toBe(
    'The server answered with more than 256 levels of nesting.',
  );
  expect(JSON.stringify(await callTool(connection, 'shallow'))).toBe(`{"x":${nest(200)}}`);
});

test.each([
  ['no JSON', (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/json' }).end('<p>')],
  ['no JSON-RPC', (response: ServerResponse) => json(response, 200, { hello: 'hunter2' })],
  ['a web page', (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
])('an answer that is %s fails its call with a sentence', async (_what, answer) => {
  const { url } = await serveLegacy((_request, response) => void answer(response));
  const error = await failure(callTool(await legacy(url)));
  expect(error).toEqual(new ServerUnavailable('The server answered with something that is no MCP message.'));
});

test.each([
  ['JSON', 'application/json', ''],
  ['an event', 'text/event-stream', 'data: '],
])('an answer without end as %s is cut off', async (_what, type, start) => {
  let sentBytes = 0;
  const chunk = 'x'.repeat(1024 * 1024);
  const { url } = await serveLegacy((request, response) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    response.writeHead(200, { 'content-type': type }).write(start);
    const pour = () => {
      sentBytes += chunk.length;
      if (sentBytes > 200 * chunk.length || response.destroyed) response.destroy();
      else response.write(chunk, pour);
    };
    pour();
  });
  expect(await failure(callTool(await legacy(url)))).toBeInstanceOf(ServerUnavailable);
  expect(sentBytes).toBeLessThan(100 * chunk.length);
});

test('a stream may carry any amount in messages that are small', async () => {
  const { url } = await serveLegacy((request, response, message) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    stream(response);
    const filler = { jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x'.repeat(1024 * 1024) } };
    // The blank line is written apart, as some servers do.
    for (let i = 0; i < 24; i += 1) {
      response.write(`data: ${JSON.stringify(filler)}\n`);
      response.write('\n');
    }
    event(response, result(message, { ok: true }));
    response.end();
  });
  expect(await callTool(await legacy(url))).toEqual({ ok: true });
});

test('a session is given back when it is no longer needed', async () => {
  const deleted: unknown[] = [];
  const { url } = await serveLegacy((request, response) => {
    if (request.method === 'DELETE') deleted.push(request.headers['mcp-session-id']);
    response.writeHead(request.method === 'DELETE' ? 204 : 405).end();
  });
  await (await legacy(url)).close();
  expect(deleted).toEqual(['s']);
});

test('an HTTP+SSE server that goes away in the middle of a call fails it at once', async () => {
  const { url } = await serveSse((response, events) => {
    response.writeHead(202).end();
    setTimeout(() => events.destroy(), 50);
  });
  const connection = await reach({ type: 'sse', url });
  const endings: Ending[] = [];
  connection.onClosed((ending) => endings.push(ending));
  const error = await failure(callTool(connection));
  expect(error).toEqual(new ServerUnavailable('The event stream of the server ended.'));
  expect(endings).toEqual([{ kind: 'failed', reason: 'The event stream of the server ended.' }]);
});

test('an HTTP+SSE server that refuses a call says so without ending the others', async () => {
  const { url } = await serveSse((response, events, message) => {
    if (message.params?.name === 'bad') return response.writeHead(500).end('hunter2');
    response.writeHead(202).end();
    event(events, result(message, { ok: true }));
  });
  const connection = await reach({ type: 'sse', url });
  expect(await failure(callTool(connection, 'bad'))).toEqual(
    new ServerUnavailable('The server answered with HTTP 500.'),
  );
  expect(await callTool(connection, 'good')).toEqual({ ok: true });
});

test.each(['application/json', 'text/event-stream'])('numbers keep their digits in %s', async (type) => {
  const numbers = '12345678901234567890, -9007199254740993, 1.0, 1e3, 0.1000000000000000055, 7';
  const { url } = await serveLegacy((request, response, message) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    const body = `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":{"n":[${numbers}],"t":"12345678901234567890"}}`;
    if (type === 'application/json') return response.writeHead(200, { 'content-type': type }).end(body);
    const split = Math.floor(body.length / 2);
    stream(response).write(`event: message\r\nid: 1\r\ndata: ${body.slice(0, split)}`);
    return setTimeout(() => response.end(`${body.slice(split)}\r\n\r\n`), 20);
  });
  const { n, t } = await callTool(await legacy(url));
  expect(JSON.stringify(n)).toBe(`[${numbers.replaceAll(' ', '')}]`);
  expect(t).toBe('12345678901234567890');
});

test.each([
  ['an answer to something else', (id: unknown) => ({ jsonrpc: '2.0', id: `${String(id)}0`, result: {} })],
  ['an answer that is none', () => ({ jsonrpc: '2.0' })],
  ['an empty answer', undefined],
])('%s fails the call at once', async (_what, answer) => {
  const { url } = await serveLegacy((request, response, message) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    return answer ? json(response, 200, answer(message.id)) : response.writeHead(202).end();
  });
  const began = Date.now();
  expect((await failure(callTool(await legacy(url)))).message).toMatch(/ended the answer|no MCP message/);
  expect(Date.now() - began).toBeLessThan(1_000);
});
