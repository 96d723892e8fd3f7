import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Exchange } from '../exchange.ts';
import { createHttpEntry } from './http.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanUps.splice(0)) await undo();
});

const start = async (serve: (exchange: Exchange) => Promise<void>) => {
  const faults: unknown[] = [];
  const onFault = (error: unknown) => void faults.push(error);
  const entry = createHttpEntry({
    serve,
    maxBodyBytes: 10_000,
    maxBufferedBytes: 1_000_000,
    metadataUrl: () => '',
    onFault,
  });
  const handled: Promise<void>[] = [];
  const server = createServer((request, response) => void handled.push(entry(request, response, '/mcp')));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const post = (body: string) =>
    fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return { faults, handled, port, post };
};

const deep = () => {
  let value: unknown = 1;
  for (let level = 0; level < 50_000; level += 1) value = [value];
  return value;
};

test('a result nested too deeply to be written is an error, as a body and in a stream', async () => {
  const { faults, post } = await start(async (exchange) => {
    const result = { jsonrpc: '2.0', id: 7, result: { deep: deep() } };
    if (JSON.stringify(exchange.body) === '"body"') return exchange.json(200, result);
    const stream = exchange.stream();
    stream.send({ jsonrpc: '2.0', method: 'notifications/progress', params: { deep: deep() } });
    stream.send(result);
    stream.end();
  });
  const error = { code: -32603, message: 'The answer is nested too deeply to be passed on.' };
  const answer = JSON.stringify({ jsonrpc: '2.0', id: 7, error });
  expect(await (await post('"body"')).text()).toBe(answer);
  expect(await (await post('"stream"')).text()).toBe(`event: message\ndata: ${answer}\n\n`);
  expect(faults).toEqual([]);
});

test('a client that goes away in the middle of its request is no fault', async () => {
  const { faults, handled, port } = await start(async (exchange) => exchange.empty(202));
  const socket = connect(port, '127.0.0.1');
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half":';
  await new Promise<void>((done) => socket.write(head, () => done()));
  while (handled.length === 0) await new Promise((done) => setTimeout(done, 5));
  socket.destroy();
  await Promise.all(handled);
  expect(faults).toEqual([]);
});

test('what fails inside is a fault, and is told without its inside', async () => {
  const { faults, post } = await start(async () => {
    throw new Error('the inside');
  });
  const response = await post('{}');
  expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('inside"')]);
  expect(faults).toEqual([new Error('the inside')]);
});

test.each([
  ['{"a":1,"a":2}', -32600, 'Invalid request: The key "a" occurs twice in one object, the second time at byte 7.'],
  ['{"a":', -32700, 'Parse error: The JSON ends too early, at byte 5.'],
  ['{"Params":1}', -32600, 'The key "Params" must be written "params"'],
])('%s is answered with what is wrong and where', async (body, code, sentence) => {
  const { post } = await start(async (exchange) => exchange.empty(202));
  const response = await post(body);
  const { error } = (await response.json()) as { error: { code: number; message: string } };
  expect([response.status, error.code]).toEqual([400, code]);
  expect(error.message).toContain(sentence);
});
