import { expect, test } from 'vitest';
import { createPool, type Want } from './pool.ts';

type Fake = {
  number: number;
  isClosed: boolean;
  onClosed(listener: () => void): void;
  close(): Promise<void>;
  die(): void;
};
const CAPABILITIES = { elicitation: {} };
const soon = (ms = 10) => new Promise<void>((done) => setTimeout(done, ms));

const poolOf = ({ max = 2, idleMs = 60_000, waitMs = 5_000, fails = false } = {}) => {
  const opened: Fake[] = [];
  const pool = createPool<Fake>({
    open: async () => {
      if (fails) throw new Error('does not start');
      let ended = () => {};
      const fake: Fake = {
        number: opened.length,
        isClosed: false,
        onClosed: (listener) => {
          ended = listener;
        },
        close: async () => {
          fake.isClosed = true;
        },
        die: () => ended(),
      };
      opened.push(fake);
      return fake;
    },
    max,
    idleMs,
    waitMs,
    late: () => new Error('late'),
    closed: () => new Error('closed'),
  });
  const want = (party: string, more: Partial<Want> = {}): Want => ({
    capabilities: CAPABILITIES,
    affinity: party,
    party,
    owner: party,
    isAlone: true,
    signal: new AbortController().signal,
    ...more,
  });
  /** Begins a call; `end` ends it, `on` is the connection it got, once it got one. */
  const begin = (party: string, more: Partial<Want> = {}) => {
    const call = {
      on: undefined as number | undefined,
      bind: () => {},
      keep: () => () => {},
      end: () => {},
      over: Promise.resolve(),
    };
    call.over = pool.lend(want(party, more), ({ number }, hold) => {
      call.on = number;
      Object.assign(call, hold);
      return new Promise<void>((done) => {
        call.end = done;
      });
    });
    call.over.catch(() => {});
    return call;
  };
  const open = () => opened.filter(({ isClosed }) => !isClosed).length;
  return { pool, opened, begin, open };
};
const QUIET = { isAlone: false };

test('calls that may ask have a connection each, and calls of one party share', async () => {
  const { begin, opened } = poolOf();
  const calls = [begin('ada'), begin('bob'), begin('ada')];
  await soon();
  expect(calls.map(({ on }) => on)).toEqual([0, 1, 0]);
  expect(opened).toHaveLength(2);
});

test('calls that ask nothing share, but never with one that may ask', async () => {
  const { begin } = poolOf();
  const calls = [begin('ada', QUIET), begin('bob', QUIET), begin('eve'), begin('joe', QUIET)];
  await soon();
  expect(calls.map(({ on }) => on)).toEqual([0, 0, 1, 0]);
});

test('beyond the bound calls wait, and get their turn in order', async () => {
  const { begin, pool } = poolOf();
  const [first, second, third, fourth] = ['ada', 'bob', 'eve', 'joe'].map((party) => begin(party));
  await soon();
  expect([third?.on, fourth?.on, pool.waiting()]).toEqual([undefined, undefined, 2]);
  second?.end();
  await soon();
  expect([third?.on, fourth?.on]).toEqual([1, undefined]);
  first?.end();
  await soon();
  expect([fourth?.on, pool.waiting()]).toEqual([0, 0]);
});

test('those who share do not keep one who waits waiting for ever', async () => {
  const { begin } = poolOf({ max: 1 });
  const shared = begin('ada', QUIET);
  await soon();
  const alone = begin('bob');
  const late = begin('eve', QUIET);
  await soon();
  expect([alone.on, late.on]).toEqual([undefined, undefined]);
  shared.end();
  await soon();
  expect([alone.on, late.on]).toEqual([0, undefined]);
  alone.end();
  await soon();
  expect(late.on).toBe(0);
});

test('waiting calls that ask nothing are let in together', async () => {
  const { begin } = poolOf({ max: 1 });
  const alone = begin('ada');
  await soon();
  const quiet = ['bob', 'eve', 'joe'].map((party) => begin(party, QUIET));
  await soon();
  alone.end();
  await soon();
  expect(quiet.map(({ on }) => on)).toEqual([0, 0, 0]);
});

test('one who comes back finds the connection of before', async () => {
  const { begin } = poolOf();
  const first = [begin('ada'), begin('bob')];
  await soon();
  for (const { end } of first) end();
  await soon();
  const again = begin('bob');
  await soon();
  expect(again.on).toBe(1);
});

test('what knows something of one is for that one alone, and gives way only when it is idle', async () => {
  const { begin, open, pool } = poolOf();
  const own = begin('ada');
  await soon();
  own.bind();
  own.end();
  await soon();
  const other = begin('bob');
  await soon();
  expect(other.on).toBe(1);
  const third = begin('eve');
  await soon();
  expect([third.on, open(), pool.count()]).toEqual([2, 2, 2]);
});

test('other capabilities are other connections', async () => {
  const { begin, open } = poolOf();
  const calls = [begin('ada', QUIET), begin('bob', { ...QUIET, capabilities: { roots: {} } })];
  await soon();
  expect(calls.map(({ on }) => on)).toEqual([0, 1]);
  const waits = begin('eve', { ...QUIET, capabilities: { sampling: {} } });
  await soon();
  expect(waits.on).toBeUndefined();
  calls[0]?.end();
  await soon();
  expect([waits.on, open()]).toEqual([2, 2]);
});

test('whoever is told to is told where it is known', async () => {
  const { begin, pool } = poolOf();
  const [own] = [begin('ada'), begin('bob')];
  await soon();
  own?.bind();
  const told: number[] = [];
  pool.tell('ada', ({ number }) => void told.push(number));
  pool.tell('bob', ({ number }) => void told.push(number));
  await soon();
  expect(told).toEqual([0]);
});

test.each(['idle', 'in use'])('what knows something of one who is gone is closed, also when it is %s', async (how) => {
  const { begin, pool, open } = poolOf();
  const own = begin('ada');
  await soon();
  own.bind();
  if (how === 'idle') own.end();
  await soon();
  pool.forget('ada');
  own.end();
  await soon();
  expect([open(), pool.count()]).toEqual([0, 0]);
});

test('a call that leaves, or waits too long, waits no more', async () => {
  const { begin, pool } = poolOf({ max: 1, waitMs: 30 });
  begin('ada');
  const leaving = new AbortController();
  const left = begin('bob', { signal: leaving.signal });
  const late = begin('eve');
  leaving.abort(new Error('left'));
  await expect(left.over).rejects.toThrow('left');
  await expect(late.over).rejects.toThrow('late');
  expect(pool.waiting()).toBe(0);
  await expect(begin('joe', { signal: AbortSignal.abort(new Error('gone')) }).over).rejects.toThrow('gone');
});

test('a connection that does not start, or dies, makes room', async () => {
  const broken = poolOf({ fails: true });
  await expect(broken.begin('ada').over).rejects.toThrow('does not start');
  expect(broken.pool.count()).toBe(0);
  const { begin, opened, pool } = poolOf({ max: 1 });
  const first = begin('ada');
  const second = begin('bob');
  await soon();
  opened[0]?.die();
  await soon();
  expect([second.on, pool.count()]).toEqual([1, 1]);
  first.end();
  await soon();
  expect(pool.count()).toBe(1);
});

test('what nobody uses is closed after a while, and closing turns away those who wait', async () => {
  const { begin, pool, open } = poolOf({ max: 1, idleMs: 20 });
  const call = begin('ada');
  await soon();
  call.end();
  await soon(60);
  expect([open(), pool.count()]).toEqual([0, 0]);
  begin('ada');
  const waits = begin('bob');
  await soon();
  await pool.closeAll();
  await expect(waits.over).rejects.toThrow('closed');
  expect([open(), pool.count()]).toEqual([0, 0]);
});

test('one owner has at most half of the connections while they may be asked, and others need not wait', async () => {
  const { begin } = poolOf({ max: 4 });
  const of = (party: string, owner: string) => begin(party, { owner });
  const [first, second, third] = [of('a1', 'ada'), of('a2', 'ada'), of('a3', 'ada')];
  const bob = of('b1', 'bob');
  await soon();
  expect([first.on, second.on, third.on, bob.on]).toEqual([0, 1, undefined, 2]);
  first.end();
  await soon();
  expect(third.on).toBe(0);
});

test('a connection that is kept stays open when nobody uses it, is not replaced, and serves others meanwhile', async () => {
  const { begin, opened, open } = poolOf({ max: 1, idleMs: 20, waitMs: 50 });
  const first = begin('ada');
  await soon();
  const release = first.keep();
  first.end();
  await soon(60);
  expect(open()).toBe(1);
  const other = begin('bob', { capabilities: { roots: {} } });
  await expect(other.over).rejects.toThrow('late');
  const same = begin('bob');
  await soon();
  expect(same.on).toBe(0);
  same.end();
  release();
  release();
  await soon(60);
  expect(open()).toBe(0);
  expect(opened).toHaveLength(1);
});

test('a kept connection of somebody who does not come again closes once it is kept no more', async () => {
  const { pool, begin, open } = poolOf();
  const first = begin('ada');
  await soon();
  first.bind();
  const release = first.keep();
  first.end();
  await soon();
  pool.forget('ada');
  await soon();
  expect(open()).toBe(1);
  release();
  await soon();
  expect(open()).toBe(0);
});

test('what is opened for one that comes once is closed after it; what it finds stays', async () => {
  const { begin, open, opened } = poolOf();
  const come = async (party: string, more: Partial<Want> = {}) => {
    const call = begin(party, more);
    await soon();
    call.end();
    await soon();
    return [call.on, opened.length, open()];
  };
  expect(await come('explorer', { isOnce: true })).toEqual([0, 1, 0]);
  expect(await come('ada')).toEqual([1, 2, 1]);
  expect(await come('explorer', { isOnce: true })).toEqual([1, 2, 1]);
});
