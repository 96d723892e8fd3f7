import { expect, test } from 'vitest';
import type { ClearedCall, JsonObject } from '#call';
import { CallTimeout, RpcError, ServerUnavailable, SessionExpired } from './errors.ts';
import { testDownstream, unused } from './test-downstream.ts';

/** A call as policy would clear it: what it carries besides these is not read here. */
const call = (method: string, params: JsonObject, signal = new AbortController().signal) =>
  ({
    method,
    params,
    capability: { kind: 'tool', serverId: 'files', name: 'own' },
    caller: { workspaceId: 'w' },
    client: { name: 'c', version: '1', capabilities: {} },
    signal,
    notify: () => {},
  }) as unknown as ClearedCall;

const answering = (answer: (method: string, params: JsonObject) => Promise<JsonObject>) =>
  testDownstream((_key, run) => run({ ...unused, request: answer }));

test.each([
  ['tools/call', { name: 'files__own', arguments: { a: 1 } }, { name: 'own', arguments: { a: 1 } }],
  ['prompts/get', { name: 'files__own' }, { name: 'own' }],
  ['resources/read', { uri: 'peta://files/own' }, { uri: 'own' }],
  [
    'completion/complete',
    { ref: { type: 'ref/prompt', name: 'files__own' }, argument: { name: 'a', value: '' } },
    { ref: { type: 'ref/prompt', name: 'own' }, argument: { name: 'a', value: '' } },
  ],
  ['completion/complete', { ref: { type: 'ref/resource', uri: 'x' } }, { ref: { type: 'ref/resource', uri: 'own' } }],
])('%s reaches the server under its own name', async (method, given, sent) => {
  const seen: unknown[] = [];
  await answering(async (...asked) => {
    seen.push([asked[0], asked[1]]);
    return {};
  }).send(call(method, given));
  expect(seen).toEqual([[method, sent]]);
});

test('a result passes as it came, whether the tool succeeded or not', async () => {
  const result = { content: [{ type: 'new-kind', x: 1 }], isError: true, unheardOf: { a: [null] } };
  const outcome = await answering(async () => result).send(call('tools/call', {}));
  expect(outcome).toEqual({ kind: 'done', result, isToolError: true });
});

test.each([
  [new RpcError(-32099, 'its own', { why: 1 }), { code: -32099, message: 'its own', data: { why: 1 } }],
  [new CallTimeout(1_000), { code: -32001, message: expect.stringMatching(/^The server files: .* within 1 s/) }],
  [
    new ServerUnavailable('It is down.'),
    { code: -32603, message: expect.stringContaining('files is not available: It is down.') },
  ],
])('%s becomes an error that says what happened', async (error, wire) => {
  expect(await answering(() => Promise.reject(error)).send(call('tools/call', {}))).toEqual({
    kind: 'failed',
    error: wire,
  });
});

test('a call that a forgetful server did not read is sent once more, and only once', async () => {
  let sent = 0;
  const forgets = (times: number) =>
    answering(async () => {
      sent += 1;
      if (sent <= times) throw new SessionExpired('forgotten');
      return { ok: true };
    });
  expect(await forgets(1).send(call('tools/call', {}))).toMatchObject({ kind: 'done', result: { ok: true } });
  sent = 0;
  expect(await forgets(5).send(call('tools/call', {}))).toMatchObject({ kind: 'failed' });
  expect(sent).toBe(2);
});

test('a call that died on the way is not sent again', async () => {
  let sent = 0;
  await answering(async () => {
    sent += 1;
    throw new ServerUnavailable('died');
  }).send(call('tools/call', {}));
  expect(sent).toBe(1);
});

test('a caller who leaves does not wait for a server that is still starting', async () => {
  const abort = new AbortController();
  const downstream = testDownstream(() => new Promise(() => {}));
  const outcome = downstream.send(call('tools/call', {}, abort.signal));
  abort.abort();
  expect(await outcome).toEqual({ kind: 'cancelled' });
});

test('a server that asks for what the client did not declare is a failure with a sentence', async () => {
  const inputRequests = { q: { method: 'sampling/createMessage', params: {} } };
  const outcome = await answering(async () => ({ resultType: 'input_required', inputRequests })).send(
    call('tools/call', {}),
  );
  expect(outcome).toMatchObject({
    kind: 'failed',
    error: { message: expect.stringContaining('sampling/createMessage, which this client does not take') },
  });
});

test('a fault of our own is thrown, not told to the client', async () => {
  const broken = answering(() => Promise.reject(new TypeError('our bug')));
  await expect(broken.send(call('tools/call', {}))).rejects.toThrow('our bug');
});
