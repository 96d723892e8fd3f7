import { expect, test } from 'vitest';
import type { ClearedCall, JsonObject, Reply } from '#call';
import { unused } from '../test-downstream.ts';
import { stateless } from './stateless.ts';

const times = { createdAt: 'then', lastUpdatedAt: 'then', ttlMs: null, pollIntervalMs: 1 };
const state = (status: string, more: object = {}): JsonObject => ({ taskId: 'own', status, ...times, ...more });
const asking = (keys: string[]) => {
  const question = { method: 'elicitation/create', params: { message: 'Go on?' } };
  return state('input_required', { inputRequests: Object.fromEntries(keys.map((key) => [key, question])) });
};

/** A server whose task is in these states, one after the other. */
const serverOf = (...states: JsonObject[]) => {
  const sent: [string, JsonObject][] = [];
  let at = 0;
  const connection = {
    ...unused,
    isStateless: true,
    request: async (method: string, { _meta, ...params }: JsonObject) => {
      sent.push([method, params]);
      if (method !== 'tasks/get') return {};
      at += 1;
      return states[Math.min(at, states.length) - 1] ?? {};
    },
  };
  return { connection, sent };
};

const callOf = (method: string, reply: Reply = { result: { action: 'accept' } }) => {
  const asked: string[] = [];
  const call = {
    method,
    params: { taskId: 'handle' },
    task: { kind: 'about', handle: 'handle', isDetailed: false },
    kept: { handle: 'handle', ownId: 'own', createdAt: new Date(), state: state('working'), ending: undefined },
    capability: { kind: 'tool', serverId: 's', name: 't' },
    client: { name: 'c', version: '1', capabilities: { elicitation: {} } },
    notify: () => {},
    question: async ({ params }: { params: JsonObject }) => {
      asked.push(String(params.message));
      return reply;
    },
    signal: new AbortController().signal,
  } as unknown as ClearedCall;
  return { call, asked };
};

const run = (method: string, call: ClearedCall, connection: ReturnType<typeof serverOf>['connection']) =>
  stateless[method]?.(call, connection, 1_000);

test('whoever waits for the end of a task is asked each question once, and gets the result', async () => {
  const end = state('completed', { result: { content: ['done'], isError: true } });
  const { connection, sent } = serverOf(state('working'), asking(['a']), asking(['a', 'b']), state('working'), end);
  const { call, asked } = callOf('tasks/result');
  expect(await run('tasks/result', call, connection)).toEqual({
    kind: 'done',
    result: { content: ['done'], isError: true },
    isToolError: true,
  });
  expect(asked).toEqual(['Go on?', 'Go on?']);
  const updates = sent.filter(([method]) => method === 'tasks/update').map(([, params]) => params);
  expect(updates).toEqual([
    { taskId: 'own', inputResponses: { a: { action: 'accept' } } },
    { taskId: 'own', inputResponses: { b: { action: 'accept' } } },
  ]);
});

test('who does not answer a form has cancelled it', async () => {
  const { connection, sent } = serverOf(asking(['a']), state('completed', { result: {} }));
  const { call } = callOf('tasks/result', { error: { code: -32603, message: 'too late' } });
  await run('tasks/result', call, connection);
  expect(sent).toContainEqual(['tasks/update', { taskId: 'own', inputResponses: { a: { action: 'cancel' } } }]);
});

test.each([
  ['failed', { error: { code: -32001, message: 'broke', data: 1 } }, { code: -32001, message: 'broke', data: 1 }],
  ['failed', {}, { code: -32603, message: 'The task failed.' }],
  ['cancelled', {}, { code: -32000, message: 'The task was cancelled.' }],
])('a task that is %s ends in an error', async (status, more, error) => {
  const { connection } = serverOf(state(status, more));
  expect(await run('tasks/result', callOf('tasks/result').call, connection)).toMatchObject({ kind: 'failed', error });
});

test('a task is cancelled for a client that takes its word, though the server is slow to stop', async () => {
  const { connection } = serverOf(state('working'));
  const outcome = await run('tasks/cancel', callOf('tasks/cancel').call, connection);
  expect(outcome).toMatchObject({ kind: 'task', task: { status: 'cancelled' } });
});

test('a task that is over cannot be cancelled', async () => {
  const { connection, sent } = serverOf(state('completed'));
  const outcome = await run('tasks/cancel', callOf('tasks/cancel').call, connection);
  expect(outcome).toMatchObject({ kind: 'failed', error: { code: -32602 } });
  expect(sent.map(([method]) => method)).toEqual(['tasks/get']);
});
