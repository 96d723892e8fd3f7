import { expect, test } from 'vitest';
import { type Call, EVERYWHERE, type JsonObject, type TaskWish } from '#call';
import { endOf, isForTask, taskParams, withTasks } from './wish.ts';

const old = { isStateless: false, capabilities: { tasks: { requests: { tools: { call: {} } } } } };
const modern = { isStateless: true, capabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } };
const plain = { isStateless: false, capabilities: {} };

const may: TaskWish = { kind: 'may' };
const must: TaskWish = { kind: 'must', ttlMs: 5 };
const call = (task?: TaskWish, capabilities: JsonObject = {}): Call => ({
  callId: 'c',
  requestId: 1,
  method: 'tools/call',
  kind: 'tool',
  exposedName: 's__t',
  params: {},
  task,
  notify: () => {},
  signal: new AbortController().signal,
  endpoint: '/mcp',
  address: '127.0.0.1',
  sessionId: undefined,
  client: { name: 'c', version: '1', capabilities },
  capability: { kind: 'tool', serverId: 's', name: 't' },
  caller: {
    workspaceId: 'w',
    kind: 'user',
    userId: 'ada',
    role: 3,
    tokenId: null,
    scope: EVERYWHERE,
    operations: null,
    isAuditor: false,
    owner: null,
    endsAt: null,
    permissions: {},
    preferences: {},
  },
});

const refusal = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};

test.each([
  ['a demand, where the tool may be a task', must, old, 'optional', { task: { ttl: 5 } }],
  ['a demand, where the tool is none', must, old, undefined, -32601],
  ['a demand, to an old server without tasks', must, plain, 'optional', -32601],
  ['a demand, to a new server that decides itself', must, modern, undefined, {}],
  ['a demand, to a new server without tasks', must, { ...modern, capabilities: {} }, undefined, -32601],
  ['a client that takes tasks, where the tool must be one', may, old, 'required', { task: {} }],
  ['a client that takes tasks, where the tool may be one', may, old, 'optional', { task: {} }],
  ['a client that takes tasks, where the tool is none', may, old, 'forbidden', {}],
  ['a client without tasks, where the tool may be one', undefined, old, 'optional', {}],
  ['a client without tasks, where the tool must be one', undefined, old, 'required', -32021],
] as const)('%s', (_what, wish, server, support, expected) => {
  expect(refusal(() => taskParams(call(wish), server, () => support))).toEqual(expected);
});

test('a server is told of tasks exactly when the request takes one', () => {
  expect(withTasks(call(undefined, { roots: {} }))).toEqual({ roots: {} });
  const told = withTasks(call(must, { roots: {}, extensions: { other: {} } }));
  expect(told).toEqual({ roots: {}, extensions: { other: {}, 'io.modelcontextprotocol/tasks': {} } });
});

test('a task in an answer is one in the words of the newer era, whichever its server speaks', () => {
  const states = [
    endOf(call(may), modern, false, { resultType: 'task', taskId: 'x', status: 'working', ttlMs: 1, odd: true }),
    endOf(call(must), old, true, { task: { taskId: 'x', status: 'working', ttl: 1, odd: true } }),
  ];
  for (const outcome of states)
    expect(outcome).toEqual({ kind: 'task', task: { taskId: 'x', status: 'working', ttlMs: 1, odd: true } });
});

test('whoever does not take tasks is given none, and what only looks like one is a result', () => {
  expect(endOf(call(), modern, false, { resultType: 'task', taskId: 'x', status: 'working' }).kind).toBe('failed');
  expect(endOf(call(may), modern, false, { resultType: 'task', status: 'working' }).kind).toBe('failed');
  expect(endOf(call(), old, false, { task: { taskId: 'x', status: 'working' } }).kind).toBe('done');
});

test('only what the list says may be a task is sent as one', () => {
  expect(isForTask(call(may), () => 'optional')).toBe(true);
  expect(isForTask(call(may), () => undefined)).toBe(false);
  expect(isForTask(call(), () => 'required')).toBe(false);
});
