import { expect, test, vi } from 'vitest';
import type { Stream } from '../exchange.ts';
import { createResumable, parseEventId, type StreamEvent, type StreamStore } from './resumable.ts';

const soon = () => new Promise((done) => setTimeout(done, 10));

/** What is kept, and a way to make keeping slow or impossible. */
const memory = () => {
  const kept = new Map<string, StreamEvent[]>();
  const control = { isAway: false, isGone: false, delayMs: 0 };
  const reach = async () => {
    await new Promise((done) => setTimeout(done, control.delayMs));
    if (control.isAway) throw new Error('away');
  };
  const store: StreamStore = {
    async begin(_session, id) {
      await reach();
      kept.set(id, []);
      return !control.isGone;
    },
    async append(_session, id, events) {
      await reach();
      kept.get(id)?.push(...events);
      return !control.isGone;
    },
    async replay(_session, id, after) {
      await reach();
      const events = (kept.get(id) ?? []).filter(({ number }) => number > after);
      return { events, requestId: null, state: 'open' };
    },
    adopt: async () => {},
  };
  return { store, control, kept };
};

/** One connection of a client: what came, in order. */
const client = () => {
  const heard: { n: unknown; id: string | undefined }[] = [];
  const events: string[] = [];
  const stream: Stream = {
    send: () => expect.unreachable('text is sent'),
    sendText: (json, id) => void heard.push({ n: (JSON.parse(json) as { n: unknown }).n, id }),
    prime: (id) => void events.push(`primed ${id}`),
    keepAlive: () => {},
    end: () => void events.push('ended'),
    onClosed: () => {},
  };
  return { stream, heard, events, numbers: () => heard.map(({ n }) => n) };
};

const build = (options: Partial<Parameters<typeof createResumable>[0]> = {}) => {
  const { store, control, kept } = memory();
  const onLost = vi.fn();
  const onEnd = vi.fn();
  const resumable = createResumable({
    store,
    sessionId: 's',
    kind: 'r',
    requestId: '1',
    isPrimed: true,
    onLost,
    onEnd,
    ...options,
  });
  const say = (...numbers: number[]) => {
    for (const n of numbers) resumable.send({ jsonrpc: '2.0', method: 'm', n });
  };
  return { resumable, control, kept, onLost, onEnd, say };
};

test('a client is primed, hears everything in order, each with an id to come back with, and the end', async () => {
  const { resumable, onEnd, say } = build();
  const one = client();
  resumable.attach(one.stream);
  say(1, 2, 3);
  resumable.end();
  await soon();
  expect(one.heard).toEqual([1, 2, 3].map((n) => ({ n, id: `${resumable.id}.${n}` })));
  expect(one.events).toEqual([`primed ${resumable.id}.0`, 'ended']);
  expect(onEnd).toHaveBeenCalledOnce();
  expect(parseEventId(`${resumable.id}.3`)).toEqual({ stream: resumable.id, kind: 'r', number: 3 });
});

test('nothing is sent before it is kept', async () => {
  const { resumable, control, kept, say } = build();
  control.delayMs = 20;
  const one = client();
  resumable.attach(one.stream);
  say(1);
  await soon();
  expect(one.heard).toEqual([]);
  await vi.waitFor(() => expect(one.numbers()).toEqual([1]));
  expect(kept.get(resumable.id)).toHaveLength(1);
});

test('whoever comes back hears what was missed and what comes meanwhile, once; the earlier connection ends', async () => {
  const { resumable, control, say } = build();
  const [first, second] = [client(), client()];
  resumable.attach(first.stream);
  say(1, 2);
  await soon();
  resumable.detach(first.stream);
  say(3);
  await soon();
  control.delayMs = 5;
  say(4);
  resumable.attach(second.stream, 1);
  say(5, 6);
  await vi.waitFor(() => expect(second.numbers()).toEqual([2, 3, 4, 5, 6]));
  expect(first.numbers()).toEqual([1, 2]);
  const third = client();
  resumable.attach(third.stream, 6);
  await vi.waitFor(() => expect(second.events).toEqual(['ended']));
});

test('when nothing can be kept it is still said, without an id', async () => {
  const { resumable, control, onLost, say } = build();
  control.isAway = true;
  const one = client();
  resumable.attach(one.stream);
  say(1, 2);
  resumable.end();
  await soon();
  expect(one.heard).toEqual([
    { n: 1, id: undefined },
    { n: 2, id: undefined },
  ]);
  expect(one.events).toEqual(['ended']);
  expect(onLost).toHaveBeenCalledOnce();
});

test('when its session has ended it is still said, without an id, and that is no fault', async () => {
  const { resumable, control, onLost, say } = build();
  control.isGone = true;
  const one = client();
  resumable.attach(one.stream);
  say(1);
  resumable.end();
  await soon();
  expect(one.heard).toEqual([{ n: 1, id: undefined }]);
  expect(one.events).toEqual(['ended']);
  expect(onLost).not.toHaveBeenCalled();
});

test('clients of older revisions are not primed', async () => {
  const { resumable } = build({ isPrimed: false });
  const one = client();
  resumable.attach(one.stream);
  await soon();
  expect(one.events).toEqual([]);
});

test('notifications that come faster than they are kept are left out beyond a bound; an answer never is', async () => {
  const { resumable, control } = build();
  control.delayMs = 50;
  const one = client();
  resumable.attach(one.stream);
  const text = 'x'.repeat(1024 * 1024);
  for (let n = 1; n <= 40; n += 1) resumable.send({ jsonrpc: '2.0', method: 'm', n, text });
  resumable.send({ jsonrpc: '2.0', id: 1, result: {}, n: 'answer' });
  control.delayMs = 0;
  await vi.waitFor(() => expect(one.numbers().at(-1)).toBe('answer'));
  expect(one.heard.length).toBeLessThan(15);
});

test.each(['', 'x', 'r.1', 's.', `r${'a'.repeat(22)}`, `x${'a'.repeat(22)}.1`, `r${'a'.repeat(22)}.-1`])(
  '%j is no event id',
  (text) => expect(parseEventId(text)).toBeUndefined(),
);
