import { expect, test } from 'vitest';
import { InvalidParams } from '../methods.ts';
import { forSession, sessionfulTask, wishOf, withoutTasks } from './session-tasks.ts';

const state = { taskId: 'h', createdAt: 'a', lastUpdatedAt: 'b', ttlMs: null, pollIntervalMs: 5, odd: true };

test.each([
  ['working', {}, { status: 'working' }],
  ['input_required', { inputRequests: { a: {} } }, { status: 'input_required' }],
  ['completed', { result: { content: [] } }, { status: 'completed' }],
  ['completed', { result: { isError: true } }, { status: 'failed' }],
  ['failed', { error: { code: 1, message: 'broke' } }, { status: 'failed', statusMessage: 'broke' }],
])('a task that is %s, as the older era knows it', (status, more, expected) => {
  const task = sessionfulTask({ ...state, status, ...more });
  const shared = { taskId: 'h', createdAt: 'a', lastUpdatedAt: 'b', ttl: null, pollInterval: 5, odd: true };
  expect(task).toEqual({ ...shared, ...expected });
});

test('a result says which task it is of', () => {
  const about = { kind: 'about' as const, handle: 'h', isDetailed: false };
  const result = { content: [], _meta: { kept: 1 } };
  expect(forSession('tasks/result', about, { result })).toEqual({
    result: { content: [], _meta: { kept: 1, 'io.modelcontextprotocol/related-task': { taskId: 'h' } } },
  });
  expect(forSession('tools/call', undefined, { result })).toEqual({ result });
});

test('what only a client of tasks may call is a method that is not there for others', () => {
  const data = { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } };
  const reply = { error: { code: -32021, message: 'no', data } };
  expect(forSession('tools/call', undefined, reply)).toMatchObject({ error: { code: -32601 } });
});

test('a call demands a task by its parameters, and says for how long', () => {
  expect(wishOf('tools/call', { name: 'x', task: { ttl: 5 } })).toEqual({ kind: 'must', ttlMs: 5 });
  expect(wishOf('tools/call', { name: 'x' })).toBeUndefined();
  expect(wishOf('tasks/get', { taskId: 'h' })).toEqual({ kind: 'about', handle: 'h', isDetailed: false });
  expect(() => wishOf('tools/call', { task: { ttl: 'long' } })).toThrow(InvalidParams);
  expect(() => wishOf('tasks/get', {})).toThrow(InvalidParams);
});

test('what means nothing in this era, or would be begun by nobody, is not announced to servers', () => {
  const extensions = { 'io.modelcontextprotocol/tasks': {}, other: {} };
  expect(withoutTasks({ roots: {}, tasks: { list: {} }, extensions })).toEqual({
    roots: {},
    extensions: { other: {} },
  });
  expect(withoutTasks({ extensions: { 'io.modelcontextprotocol/tasks': {} } })).toEqual({});
});
