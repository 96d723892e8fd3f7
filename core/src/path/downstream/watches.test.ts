import { expect, test, vi } from 'vitest';
import { soon } from './test-call.ts';
import { createWatches } from './watches.ts';

type Options = Parameters<typeof createWatches>[0];
const noClient: Options['client'] = { listen: () => Promise.reject(new Error('this server is not stateless')) };

/** A server of 2025-11-25 that notes what it is asked. */
const legacy = (answer: (method: string) => Promise<unknown> = async () => ({})) => {
  const sent: string[] = [];
  const watches = createWatches({
    client: noClient,
    isStateless: false,
    request: (method, { uri }) => {
      sent.push(`${method.replace('resources/', '')} ${uri}`);
      return answer(method);
    },
  });
  return { sent, watches };
};

test('a server is asked once for what several want, and told once nobody wants it', async () => {
  const { sent, watches } = legacy();
  const heard = [vi.fn(), vi.fn()];
  const leaves = await Promise.all(heard.map((listener) => watches.watch('a', listener)));
  watches.updated('a');
  watches.updated('b');
  for (const listener of heard) expect(listener).toHaveBeenCalledOnce();
  leaves[0]?.();
  leaves[0]?.();
  watches.updated('a/part');
  watches.updated('ab');
  expect(heard.map(({ mock }) => mock.calls.length)).toEqual([1, 2]);
  leaves[1]?.();
  expect(sent).toEqual(['subscribe a', 'unsubscribe a']);
});

test('one listener may be there twice', async () => {
  const { sent, watches } = legacy();
  const listener = vi.fn();
  const [leave] = await Promise.all([watches.watch('a', listener), watches.watch('a', listener)]);
  leave();
  watches.updated('a');
  expect([listener.mock.calls.length, sent]).toEqual([1, ['subscribe a']]);
});

test('a server is not told to begin before it has stopped', async () => {
  let stopped = () => {};
  const { sent, watches } = legacy((method) =>
    method === 'resources/unsubscribe'
      ? new Promise<void>((done) => {
          stopped = done;
        })
      : Promise.resolve(),
  );
  (await watches.watch('a', () => {}))();
  const again = watches.watch('a', () => {});
  await soon();
  expect(sent).toEqual(['subscribe a', 'unsubscribe a']);
  stopped();
  await again;
  expect(sent).toEqual(['subscribe a', 'unsubscribe a', 'subscribe a']);
});

test('a server that will not tell is a failure for each who asked, and is asked anew the next time', async () => {
  let isWilling = false;
  const { sent, watches } = legacy(() => (isWilling ? Promise.resolve() : Promise.reject(new Error('no'))));
  const both = await Promise.allSettled([watches.watch('a', () => {}), watches.watch('a', () => {})]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  isWilling = true;
  await watches.watch('a', () => {});
  expect(sent).toEqual(['subscribe a', 'subscribe a']);
});

test('a server without sessions tells on a stream, which is ended when nobody wants it', async () => {
  let signal: AbortSignal | undefined;
  const watches = createWatches({
    client: {
      listen: async (filter, options) => {
        signal = options?.signal;
        return { honoredFilter: filter, close: async () => {}, closed: new Promise(() => {}) };
      },
    },
    isStateless: true,
    request: () => Promise.reject(new Error('nothing is to be sent')),
  });
  const leave = await watches.watch('a', () => {});
  expect(signal?.aborted).toBe(false);
  leave();
  expect(signal?.aborted).toBe(true);
});

test('a server that does not grant the subscription will not tell', async () => {
  const watches = createWatches({
    client: { listen: async () => ({ honoredFilter: {}, close: async () => {}, closed: new Promise(() => {}) }) },
    isStateless: true,
    request: async () => ({}),
  });
  await expect(watches.watch('a', () => {})).rejects.toMatchObject({ code: -32602 });
});
