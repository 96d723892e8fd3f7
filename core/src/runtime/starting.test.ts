import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTestRuntime, key, never, wantOf } from './test-runtime.ts';

let world: ReturnType<typeof createTestRuntime>;
beforeEach(() => {
  vi.useFakeTimers();
  world = createTestRuntime();
});
afterEach(() => {
  vi.useRealTimers();
});

test('callers that come while it starts share one start', async () => {
  expect(await Promise.all([world.use(), world.use(), world.use()])).toEqual([0, 0, 0]);
  expect(world.opened.length).toBe(1);
});

test('a server that did not start turns calls away at once until it does', async () => {
  world.open = () => Promise.reject(new Error('no such command'));
  await expect(world.use()).rejects.toThrow('no such command');
  expect(world.runtime.status(key)).toEqual({ status: 3, reason: 'no such command' });
  world.open = never;
  await expect(world.use()).rejects.toThrow('no such command');
  // Also while it is tried again behind the scenes.
  await vi.advanceTimersByTimeAsync(1_000);
  expect(world.runtime.status(key).status).toBe(2);
  await expect(world.use()).rejects.toThrow('no such command');
  await world.runtime.listed(key);
});

test('a server that failed is tried again, later each time, until it works', async () => {
  let attempts = 0;
  world.open = () => {
    attempts += 1;
    return Promise.reject(new Error('down'));
  };
  await expect(world.use()).rejects.toThrow('down');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(attempts).toBeGreaterThan(4);
  expect(attempts).toBeLessThan(12);
  world.open = world.connect;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(await world.use()).toBe(0);
  expect(world.runtime.status(key)).toEqual({ status: 0, reason: null });
});

test('the first call after a death starts the server again at once; one that keeps dying turns calls away', async () => {
  await world.use();
  world.lastOpened().end('failed', 'It ended with code 3.');
  expect(world.runtime.status(key)).toEqual({ status: 3, reason: 'It ended with code 3.' });
  expect(await world.use()).toBe(1);
  world.lastOpened().end('failed', 'It ended with code 4.');
  await expect(world.use()).rejects.toThrow('It ended with code 4.');
});

test('a session that ended is replaced without an error', async () => {
  await world.use();
  await vi.advanceTimersByTimeAsync(60_000);
  world.lastOpened().end('expired', 'The server ended the session.');
  expect(world.runtime.status(key).status).not.toBe(3);
  expect(await world.use()).toBe(1);
});

test('a server that forgets every session at once is not asked for ever', async () => {
  const connectAndForget = async () => {
    const fake = await world.connect();
    setTimeout(() => fake.end('expired', 'forgotten'), 1);
    return fake;
  };
  world.open = connectAndForget;
  await world.use();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(world.opened.length).toBeLessThan(10);
});

test('a server that is given another configuration does not wait for the start of the old one', async () => {
  world.open = never;
  const old = world.use();
  const refused = expect(old).rejects.toThrow('The server was stopped.');
  await vi.advanceTimersByTimeAsync(1);
  await world.runtime.rest(key);
  await refused;
  expect(world.signals[0]?.aborted).toBe(true);
  world.open = world.connect;
  expect(await world.use()).toBe(0);
  expect(world.runtime.status(key).status).toBe(0);
});

test('a connection that comes after its start was given up is closed', async () => {
  let arrive = (_: Awaited<ReturnType<typeof world.connect>>) => {};
  world.open = () => new Promise((done) => (arrive = done));
  const refused = expect(world.use()).rejects.toThrow('not ready within 60 s');
  await vi.advanceTimersByTimeAsync(60_001);
  await refused;
  world.open = never;
  const late = await world.connect();
  arrive(late);
  await vi.advanceTimersByTimeAsync(1);
  expect(late.isClosed).toBe(true);
});

test('a stopped server stays stopped until it is started', async () => {
  await world.use();
  await world.runtime.stop(key);
  expect(world.lastOpened().isClosed).toBe(true);
  await expect(world.use()).rejects.toThrow('The server is stopped.');
  await vi.advanceTimersByTimeAsync(300_000);
  expect(world.opened.length).toBe(1);
  await world.runtime.start(key);
  expect(await world.use()).toBe(1);
});

test('ending everything does not wait for a start that never ends', async () => {
  world.open = never;
  const refused = expect(world.use()).rejects.toThrow();
  await vi.advanceTimersByTimeAsync(1);
  const ending = world.runtime.stopAll();
  await vi.advanceTimersByTimeAsync(5_001);
  await ending;
  await refused;
  await expect(world.use()).rejects.toThrow('stopped');
});

test('a server that keeps nothing between requests needs no further connections', async () => {
  world.open = world.connectStateless;
  const numbers = await Promise.all(
    ['a', 'b'].map((affinity) => world.runtime.lend(key, wantOf(affinity), async ({ number }) => number)),
  );
  expect([numbers, world.opened.length]).toEqual([[0, 0], 1]);
});
