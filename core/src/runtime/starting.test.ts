import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Listing } from '#call';
import { silentLog } from '#lib/log';
import { createRuntime, type Running, type Runtime } from './runtime.ts';

const key = { workspaceId: 'w', serverId: 's' };
const EMPTY: Listing = { tools: [], resources: [], templates: [], prompts: [] };
const listingOf = (name: string): Listing => ({ ...EMPTY, tools: [{ name }] });

type Fake = Running & {
  number: number;
  isClosed: boolean;
  changeList(): void;
  end(kind: 'failed' | 'expired', reason: string): void;
};
const never = () => new Promise<never>(() => {});

let opened: Fake[];
let signals: AbortSignal[];
let listings: Listing[];
let open: () => Promise<Fake>;
let collect: (connection: Fake) => Promise<Listing>;
let runtime: Runtime<Fake>;

const connect = async (): Promise<Fake> => {
  let changed = () => {};
  let ended: Parameters<Running['onClosed']>[0] = () => {};
  const fake: Fake = {
    number: opened.length,
    isClosed: false,
    isStateless: false,
    onListChanged: (listener) => {
      changed = listener;
    },
    onClosed: (listener) => {
      ended = listener;
    },
    close: async () => {
      fake.isClosed = true;
    },
    changeList: () => changed(),
    end: (kind, reason) => ended({ kind, reason }),
  };
  opened.push(fake);
  return fake;
};
const lastOpened = (): Fake => {
  const fake = opened.at(-1);
  if (!fake) throw new Error('nothing was opened');
  return fake;
};

beforeEach(() => {
  vi.useFakeTimers();
  opened = [];
  signals = [];
  listings = [];
  open = connect;
  collect = async () => EMPTY;
  runtime = createRuntime<Fake>({
    maxInstances: 2,
    instanceWaitMs: 5_000,
    open: (_key, _ring, signal) => {
      signals.push(signal);
      return open();
    },
    collect: (connection) => collect(connection),
    onListing: async (_key, listing) => void listings.push(listing),
    unavailable: (reason) => new Error(reason),
    startTimeoutMs: 60_000,
    log: silentLog,
  });
});
afterEach(() => {
  vi.useRealTimers();
});
const use = () => runtime.use(key, async ({ number }) => number);

test('callers that come while it starts share one start', async () => {
  expect(await Promise.all([use(), use(), use()])).toEqual([0, 0, 0]);
  expect(opened.length).toBe(1);
});

test('a server that did not start turns calls away at once until it does', async () => {
  open = () => Promise.reject(new Error('no such command'));
  await expect(use()).rejects.toThrow('no such command');
  expect(runtime.status(key)).toEqual({ status: 3, reason: 'no such command' });
  open = never;
  await expect(use()).rejects.toThrow('no such command');
  // Also while it is tried again behind the scenes.
  await vi.advanceTimersByTimeAsync(1_000);
  expect(runtime.status(key).status).toBe(2);
  await expect(use()).rejects.toThrow('no such command');
  await runtime.listed(key);
});

test('a server that failed is tried again, later each time, until it works', async () => {
  let attempts = 0;
  open = () => {
    attempts += 1;
    return Promise.reject(new Error('down'));
  };
  await expect(use()).rejects.toThrow('down');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(attempts).toBeGreaterThan(4);
  expect(attempts).toBeLessThan(12);
  open = connect;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(await use()).toBe(0);
  expect(runtime.status(key)).toEqual({ status: 0, reason: null });
});

test('the first call after a death starts the server again at once; one that keeps dying turns calls away', async () => {
  await use();
  lastOpened().end('failed', 'It ended with code 3.');
  expect(runtime.status(key)).toEqual({ status: 3, reason: 'It ended with code 3.' });
  expect(await use()).toBe(1);
  lastOpened().end('failed', 'It ended with code 4.');
  await expect(use()).rejects.toThrow('It ended with code 4.');
});

test('a session that ended is replaced without an error', async () => {
  await use();
  await vi.advanceTimersByTimeAsync(60_000);
  lastOpened().end('expired', 'The server ended the session.');
  expect(runtime.status(key).status).not.toBe(3);
  expect(await use()).toBe(1);
});

test('a server that forgets every session at once is not asked for ever', async () => {
  const connectAndForget = async () => {
    const fake = await connect();
    setTimeout(() => fake.end('expired', 'forgotten'), 1);
    return fake;
  };
  open = connectAndForget;
  await use();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(opened.length).toBeLessThan(10);
});

test('a server that is given another configuration does not wait for the start of the old one', async () => {
  open = never;
  const old = use();
  const refused = expect(old).rejects.toThrow('The server was stopped.');
  await vi.advanceTimersByTimeAsync(1);
  await runtime.rest(key);
  await refused;
  expect(signals[0]?.aborted).toBe(true);
  open = connect;
  expect(await use()).toBe(0);
  expect(runtime.status(key).status).toBe(0);
});

test('a connection that comes after its start was given up is closed', async () => {
  let arrive = (_: Fake) => {};
  open = () => new Promise((done) => (arrive = done));
  const refused = expect(use()).rejects.toThrow('not ready within 60 s');
  await vi.advanceTimersByTimeAsync(60_001);
  await refused;
  open = never;
  const late = await connect();
  arrive(late);
  await vi.advanceTimersByTimeAsync(1);
  expect(late.isClosed).toBe(true);
});

test('a stopped server stays stopped until it is started', async () => {
  await use();
  await runtime.stop(key);
  expect(lastOpened().isClosed).toBe(true);
  await expect(use()).rejects.toThrow('The server is stopped.');
  await vi.advanceTimersByTimeAsync(300_000);
  expect(opened.length).toBe(1);
  await runtime.start(key);
  expect(await use()).toBe(1);
});

test('ending everything does not wait for a start that never ends', async () => {
  open = never;
  const refused = expect(use()).rejects.toThrow();
  await vi.advanceTimersByTimeAsync(1);
  const ending = runtime.stopAll();
  await vi.advanceTimersByTimeAsync(5_001);
  await ending;
  await refused;
  await expect(use()).rejects.toThrow('stopped');
});

test('lists that change many times are collected one at a time, and end with the newest', async () => {
  let running = 0;
  let most = 0;
  let version = 0;
  collect = async () => {
    running += 1;
    most = Math.max(most, running);
    const seen = version;
    await new Promise((done) => setTimeout(done, 10));
    running -= 1;
    return listingOf(`v${seen}`);
  };
  await use();
  for (version = 1; version <= 50; version += 1) lastOpened().changeList();
  version = 50;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(most).toBe(1);
  expect(listings.length).toBeLessThan(5);
  expect(listings.at(-1)).toEqual(listingOf('v50'));
});

test('a listing that fails is tried again and keeps the last one until then', async () => {
  collect = () => Promise.reject(new Error('not now'));
  await use();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(listings).toEqual([]);
  expect(runtime.status(key).status).toBe(0);
  expect(runtime.logs(key, 10).at(-1)?.text).toContain('could not be listed: not now');
  collect = async () => listingOf('at last');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(listings).toEqual([listingOf('at last')]);
});

test('what a server listed before it was changed is not reported after', async () => {
  let answer = (_: Listing) => {};
  collect = () => new Promise((done) => (answer = done));
  await use();
  await runtime.rest(key);
  answer(listingOf('old'));
  await vi.advanceTimersByTimeAsync(1);
  expect(listings).toEqual([]);
});

test('a listing that never ends is not waited for by calls', async () => {
  collect = never;
  expect(await use()).toBe(0);
});

test('what a server says on a further connection has changed is learnt there', async () => {
  await use();
  await vi.advanceTimersByTimeAsync(100);
  const asked: number[] = [];
  collect = async ({ number }) => {
    asked.push(number);
    return EMPTY;
  };
  const want = {
    capabilities: {},
    affinity: 'a',
    party: 'a',
    owner: 'a',
    isAlone: true,
    signal: new AbortController().signal,
  };
  await runtime.lend(key, want, async ({ number, changeList }) => {
    expect(number).toBe(1);
    changeList();
  });
  await vi.advanceTimersByTimeAsync(100);
  expect(asked).toEqual([1]);
});

test('a server that keeps nothing between requests needs no further connections', async () => {
  open = async () => Object.assign(await connect(), { isStateless: true });
  const want = {
    capabilities: {},
    affinity: 'a',
    party: 'a',
    owner: 'a',
    isAlone: true,
    signal: new AbortController().signal,
  };
  const numbers = await Promise.all([1, 2].map(() => runtime.lend(key, want, async ({ number }) => number)));
  expect([numbers, opened.length]).toEqual([[0, 0], 1]);
});
