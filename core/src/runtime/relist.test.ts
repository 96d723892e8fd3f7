import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Listing } from '#call';
import { createTestRuntime, EMPTY, FORMS, key, listingOf, never, wantOf } from './test-runtime.ts';

let world: ReturnType<typeof createTestRuntime>;
beforeEach(() => {
  vi.useFakeTimers();
  world = createTestRuntime();
});
afterEach(() => {
  vi.useRealTimers();
});

test('lists that change many times are collected one at a time, and end with the newest', async () => {
  let running = 0;
  let most = 0;
  let version = 0;
  world.collect = async () => {
    running += 1;
    most = Math.max(most, running);
    const seen = version;
    await new Promise((done) => setTimeout(done, 10));
    running -= 1;
    return listingOf(`v${seen}`);
  };
  await world.use();
  for (version = 1; version <= 50; version += 1) world.lastOpened().changeList();
  version = 50;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(most).toBe(1);
  expect(world.listings.length).toBeLessThan(5);
  expect(world.listings.at(-1)).toEqual(listingOf('v50'));
});

test('a listing that fails is tried again and keeps the last one until then', async () => {
  world.collect = () => Promise.reject(new Error('not now'));
  await world.use();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(world.listings).toEqual([]);
  expect(world.runtime.status(key).status).toBe(0);
  expect(world.runtime.logs(key, 10).at(-1)?.text).toContain('could not be listed: not now');
  world.collect = async () => listingOf('at last');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(world.listings).toEqual([listingOf('at last')]);
});

test('what a server listed before it was changed is not reported after', async () => {
  let answer = (_: Listing) => {};
  world.collect = () => new Promise((done) => (answer = done));
  await world.use();
  await world.runtime.rest(key);
  answer(listingOf('old'));
  await vi.advanceTimersByTimeAsync(1);
  expect(world.listings).toEqual([]);
});

test('a listing that never ends is not waited for by calls', async () => {
  world.collect = never;
  expect(await world.use()).toBe(0);
});

test('what a server says on a further connection has changed is learnt there, for clients like those of that one', async () => {
  await world.use();
  await vi.advanceTimersByTimeAsync(100);
  world.collect = async ({ number }) => listingOf(`of ${number}`);
  await world.runtime.lend(key, wantOf('a'), async ({ number, changeList }) => {
    expect(number).toBe(1);
    changeList();
  });
  await vi.advanceTimersByTimeAsync(100);
  expect(world.listings).toEqual([EMPTY, listingOf('of 1')]);
  expect(world.audiences).toEqual([undefined, FORMS]);
});

test('lists that change on several connections at once are collected on each, however often one fails', async () => {
  await world.use();
  await vi.advanceTimersByTimeAsync(100);
  let isFirst = true;
  world.collect = async ({ number }) => {
    await new Promise((done) => setTimeout(done, 10));
    if (number === 1 && isFirst) {
      isFirst = false;
      throw new Error('not now');
    }
    return listingOf(`of ${number}`);
  };
  await world.runtime.lend(key, wantOf('a'), (one) =>
    world.runtime.lend(key, wantOf('b'), async (other) => {
      for (const { changeList } of [one, other, ...world.opened]) changeList();
      await vi.advanceTimersByTimeAsync(100);
      expect(world.listings).toEqual([EMPTY, listingOf('of 2'), listingOf('of 0'), listingOf('of 1')]);
    }),
  );
});

test('a listing that fails on one connection is tried again, whatever is listed on others', async () => {
  await world.use();
  await vi.advanceTimersByTimeAsync(100);
  const fails = new Set([1]);
  world.collect = async ({ number }) => {
    if (fails.delete(number)) throw new Error('not now');
    return listingOf(`of ${number}`);
  };
  await world.runtime.lend(key, wantOf('a'), async ({ changeList }) => {
    changeList();
    await vi.advanceTimersByTimeAsync(100);
    world.opened[0]?.changeList();
    await vi.advanceTimersByTimeAsync(100);
    expect(world.listings).toEqual([EMPTY, listingOf('of 0')]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(world.listings).toEqual([EMPTY, listingOf('of 0'), listingOf('of 1')]);
  });
});

test('a listing that failed is not tried again on a server that was stopped', async () => {
  await world.use();
  await vi.advanceTimersByTimeAsync(100);
  let attempts = 0;
  world.collect = async () => {
    attempts += 1;
    throw new Error('not now');
  };
  for (const { changeList } of world.opened) changeList();
  await vi.advanceTimersByTimeAsync(100);
  await world.runtime.stop(key);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(attempts).toBe(1);
});

test('a server is asked what it offers to some clients on a connection for these, which is closed again', async () => {
  world.collect = async ({ number }) => listingOf(`of ${number}`);
  const exploring = world.runtime.explore(key, FORMS);
  await vi.advanceTimersByTimeAsync(1_000);
  await exploring;
  expect([world.opened.length, world.lastOpened().isClosed, world.opened[0]?.isClosed]).toEqual([2, true, false]);
  expect(world.listings).toEqual([listingOf('of 0'), listingOf('of 1')]);
  expect(world.audiences).toEqual([undefined, FORMS]);
});

test('a connection that a call has opened is asked too, and stays', async () => {
  await world.runtime.lend(key, wantOf('a'), async () => {});
  world.collect = async ({ number }) => listingOf(`of ${number}`);
  const exploring = world.runtime.explore(key, FORMS);
  await vi.advanceTimersByTimeAsync(1_000);
  await exploring;
  expect([world.opened.length, world.lastOpened().isClosed]).toEqual([2, false]);
  expect(world.listings.at(-1)).toEqual(listingOf('of 1'));
});

test('what a server offers to some only once it has heard of them is waited for', async () => {
  await world.use();
  await vi.advanceTimersByTimeAsync(100);
  let offered = 'little';
  world.collect = async () => listingOf(offered);
  const exploring = world.runtime.explore(key, FORMS);
  await vi.advanceTimersByTimeAsync(50);
  expect(world.listings.at(-1)).toEqual(listingOf('little'));
  offered = 'more';
  world.collect = async () => {
    await new Promise((done) => setTimeout(done, 500));
    return listingOf(offered);
  };
  world.lastOpened().changeList();
  let isOver = false;
  void exploring.then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(400);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect([isOver, world.listings.at(-1)]).toEqual([true, listingOf('more')]);
});

test('a server that keeps nothing is asked for all kinds of clients on one connection, again whenever its lists change', async () => {
  world.open = world.connectStateless;
  world.collect = async (_connection, capabilities) => listingOf(JSON.stringify(capabilities ?? {}));
  await world.runtime.explore(key, FORMS);
  await world.runtime.explore(key, { roots: {} });
  expect(world.opened.length).toBe(1);
  expect(new Set(world.audiences)).toEqual(new Set([undefined, FORMS, { roots: {} }]));
  world.audiences = [];
  world.listings = [];
  world.lastOpened().changeList();
  await vi.advanceTimersByTimeAsync(100);
  expect(world.audiences).toEqual([undefined, FORMS, { roots: {} }]);
  expect(world.listings).toEqual(['{}', '{"elicitation":{}}', '{"roots":{}}'].map(listingOf));
});

test('what was explored before a server was changed is not reported after', async () => {
  world.open = world.connectStateless;
  await world.use();
  await vi.advanceTimersByTimeAsync(100);
  world.listings = [];
  let answer = (_: Listing) => {};
  world.collect = () => new Promise((done) => (answer = done));
  const exploring = world.runtime.explore(key, FORMS);
  await vi.advanceTimersByTimeAsync(1);
  await world.runtime.rest(key);
  answer(listingOf('old'));
  await exploring;
  expect(world.listings).toEqual([]);
});

test('a server that does not start cannot be explored', async () => {
  world.open = () => Promise.reject(new Error('no such command'));
  await expect(world.runtime.explore(key, FORMS)).rejects.toThrow('no such command');
});
