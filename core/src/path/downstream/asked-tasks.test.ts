import { expect, test } from 'vitest';
import type { JsonObject } from '#call';
import { createAsked, type TaskFollower } from './asked.ts';
import { createPages } from './pages.ts';
import type { Pending } from './requests.ts';

const related = { 'io.modelcontextprotocol/related-task': { taskId: 'own' } };

/** A connection on which one call of somebody's runs that can be asked. */
const build = () => {
  const heard: string[] = [];
  const sent: JsonObject[] = [];
  const followers = new Map<string, TaskFollower>();
  const call: Pending = {
    party: 'somebody',
    over: new AbortController().signal,
    onNotification: (method) => void heard.push(`call ${method}`),
    onQuestion: async () => {
      heard.push('call is asked');
      return { result: {} };
    },
    resolve: () => {},
    reject: () => {},
    progressed: () => {},
    pause: () => {},
    resume: () => {},
  };
  const { take } = createAsked({
    pending: new Map([['peta:1', call]]),
    followers,
    send: async (message) => void sent.push(message as JsonObject),
    isAwaited: () => false,
    pages: createPages(),
  });
  const follow = () =>
    followers.set('own', {
      onQuestion: async () => {
        heard.push('task is asked');
        return { result: { of: 'task' } };
      },
      onNotification: (method) => void heard.push(`task ${method}`),
    });
  return { take, follow, heard, sent };
};

const question = (params: object) => ({
  jsonrpc: '2.0' as const,
  id: 7,
  method: 'elicitation/create',
  params: { ...params },
});
const notification = (method: string, params: object) => ({ jsonrpc: '2.0' as const, method, params: { ...params } });

test('what a task asks reaches its follower, though it asks before anybody follows, and never a call of another', async () => {
  const { take, follow, heard, sent } = build();
  take(question({ _meta: related }), undefined);
  follow();
  await expect.poll(() => sent).toEqual([{ jsonrpc: '2.0', id: 7, result: { of: 'task' } }]);
  expect(heard).toEqual(['task is asked']);
});

test('a task that nobody follows is told that nobody can be asked', async () => {
  const { take, heard, sent } = build();
  take(question({ _meta: related }), undefined);
  await expect.poll(() => sent, { timeout: 3_000 }).toMatchObject([{ error: { code: -32601 } }]);
  expect(heard).toEqual([]);
});

test('what a task says reaches its follower alone', () => {
  const { take, follow, heard } = build();
  take(notification('notifications/tasks/status', { taskId: 'own', status: 'working' }), undefined);
  take(notification('notifications/progress', { progressToken: 'peta:0', progress: 1 }), undefined);
  follow();
  take(notification('notifications/tasks/status', { taskId: 'own', status: 'working' }), undefined);
  take(notification('notifications/message', { _meta: related }), undefined);
  take(notification('notifications/message', {}), undefined);
  expect(heard).toEqual([
    'task notifications/tasks/status',
    'task notifications/message',
    'call notifications/message',
  ]);
});
