import { expect, test, vi } from 'vitest';
import type { Ending } from './tap.ts';
import { soon } from './test-call.ts';
import { createWatching } from './watching.ts';

const KEY = { workspaceId: 'w', serverId: 's' };

/** A connection of which the test changes resources and the end. */
const connection = (isWilling = true) => {
  const listeners = new Set<() => void>();
  let ended = (_ending: Ending) => {};
  return {
    listeners,
    watch: async (_uri: string, listener: () => void) => {
      if (!isWilling) throw new Error('no');
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onClosed: (listener: (ending: Ending) => void) => {
      ended = listener;
    },
    change: () => {
      for (const listener of listeners) listener();
    },
    end: () => ended({ kind: 'failed', reason: 'gone' }),
  };
};
type Fake = ReturnType<typeof connection>;

const watchingOver = (first: () => Fake) => createWatching({ use: (_key, run) => run(first()) });

test('changes are told until the watcher leaves', async () => {
  const main = connection();
  const watching = watchingOver(() => main);
  await watching.connected(KEY, main);
  const listener = vi.fn();
  const leaving = new AbortController();
  await watching.watch(KEY, 'a', listener, leaving.signal);
  main.change();
  leaving.abort();
  main.change();
  expect(listener).toHaveBeenCalledOnce();
  expect(main.listeners.size).toBe(0);
});

test('each connection of the server is asked, and what they tell together is told once', async () => {
  const [main, earlier, later] = [connection(), connection(), connection()];
  const watching = watchingOver(() => main);
  for (const each of [main, earlier]) await watching.connected(KEY, each);
  const listener = vi.fn();
  await watching.watch(KEY, 'a', listener, new AbortController().signal);
  await watching.connected(KEY, later);
  expect([main, earlier, later].map(({ listeners }) => listeners.size)).toEqual([1, 1, 1]);
  for (const each of [main, earlier, later]) each.change();
  await soon(100);
  expect(listener).toHaveBeenCalledOnce();
  later.change();
  await soon(100);
  expect(listener).toHaveBeenCalledTimes(2);
});

test('a server that comes back is asked again, and may have changed meanwhile', async () => {
  const main = connection();
  const watching = watchingOver(() => main);
  await watching.connected(KEY, main);
  const listener = vi.fn();
  const leaving = new AbortController();
  await watching.watch(KEY, 'a', listener, leaving.signal);
  main.end();
  const next = connection();
  await watching.connected(KEY, next);
  expect(listener).toHaveBeenCalledOnce();
  next.change();
  expect(listener).toHaveBeenCalledTimes(2);
  leaving.abort();
  expect(next.listeners.size).toBe(0);
});

test('a server that will not tell is a failure, a further connection that will not is none', async () => {
  const deaf = connection(false);
  await expect(watchingOver(() => deaf).watch(KEY, 'a', () => {}, new AbortController().signal)).rejects.toThrow('no');
  const main = connection();
  const watching = watchingOver(() => main);
  for (const each of [main, deaf]) await watching.connected(KEY, each);
  await watching.watch(KEY, 'a', () => {}, new AbortController().signal);
  expect(main.listeners.size).toBe(1);
});

test('a watcher who has left meanwhile is not kept', async () => {
  const main = connection();
  const watching = watchingOver(() => main);
  await watching.connected(KEY, main);
  await watching.watch(KEY, 'a', () => {}, AbortSignal.abort());
  expect(main.listeners.size).toBe(0);
});
