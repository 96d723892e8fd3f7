import { expect, test } from 'vitest';
import type { Outcome } from '#call';
import { createRun, type Hooks } from './run.ts';
import { clearedCall, form, soon } from './test-call.ts';

const DONE: Outcome = { kind: 'done', result: {}, isToolError: false };
const never = new AbortController().signal;

/** A call that does what the test says with its hooks. */
const running = (course: (hooks: Hooks) => Promise<unknown>) => {
  let ended: unknown;
  const run = createRun(async (hooks) => {
    ended = await course(hooks);
    return DONE;
  });
  return { run, ended: () => ended };
};

test('a call that asks nothing ends with its outcome', async () => {
  const { run } = running(async () => {});
  expect(await run.next(clearedCall())).toEqual({ outcome: DONE });
});

test('questions that come together are asked together, and each gets its own answer', async () => {
  const { run, ended } = running(({ onQuestion }) =>
    Promise.all([onQuestion(form('a'), never), onQuestion(form('b'), never)]),
  );
  expect(await run.next(clearedCall())).toEqual({ questions: { q1: form('a'), q2: form('b') } });
  run.answer({ q2: { said: 'b' }, q1: { said: 'a' } });
  expect(await run.next(clearedCall())).toEqual({ outcome: DONE });
  expect(ended()).toEqual([{ result: { said: 'a' } }, { result: { said: 'b' } }]);
});

test('what is not answered is asked again under the same key', async () => {
  const { run } = running(({ onQuestion }) =>
    Promise.all([onQuestion(form('a'), never), onQuestion(form('b'), never)]),
  );
  await run.next(clearedCall());
  run.answer({ q1: {}, q2: 'no object', q9: {} });
  expect(await run.next(clearedCall())).toEqual({ questions: { q2: form('b') } });
});

test('a question that is withdrawn is not asked, and its call goes on', async () => {
  const withdrawn = new AbortController();
  const { run, ended } = running(({ onQuestion }) => onQuestion(form('a'), withdrawn.signal));
  const next = run.next(clearedCall());
  withdrawn.abort();
  expect(await next).toEqual({ outcome: DONE });
  expect(ended()).toMatchObject({ error: { message: 'The question was withdrawn.' } });
  const late = running(({ onQuestion }) => onQuestion(form('b'), AbortSignal.abort()));
  expect(await late.run.next(clearedCall())).toEqual({ outcome: DONE });
});

test('progress goes out under the token of the request that waits, and what is said in between is kept', async () => {
  const { run } = running(async ({ onQuestion, notify }) => {
    notify('notifications/progress', { progressToken: 1, progress: 1 });
    await onQuestion(form('a'), never);
    notify('notifications/progress', { progressToken: 1, progress: 2 });
  });
  const heard: unknown[] = [];
  const asking = (progressToken?: number) =>
    clearedCall({
      notify: (_method, params) => void heard.push(params),
      params: progressToken === undefined ? {} : { _meta: { progressToken } },
    });
  await run.next(asking(1));
  run.answer({ q1: {} });
  await soon();
  await run.next(asking(2));
  expect(heard).toEqual([
    { progressToken: 1, progress: 1 },
    { progressToken: 2, progress: 2 },
  ]);
});

test('of what is said while nobody listens the latest is kept, and no more than that', async () => {
  const { run } = running(async ({ onQuestion, notify }) => {
    await onQuestion(form('a'), never);
    for (let line = 1; line <= 500; line += 1) notify('notifications/message', { line });
  });
  await run.next(clearedCall());
  run.answer({ q1: {} });
  await soon();
  const lines: unknown[] = [];
  await run.next(clearedCall({ notify: (_method, { line }) => void lines.push(line) }));
  expect([lines.length, lines.at(-1)]).toEqual([100, 500]);
});

test.each(['leaves', 'does not come back'])('a client that %s ends the call', async (how) => {
  let isStopped = false;
  const { run } = running(({ signal, onQuestion }) => {
    signal.addEventListener('abort', () => {
      isStopped = true;
    });
    return onQuestion(form('a'), never);
  });
  const leaving = new AbortController();
  if (how === 'leaves') leaving.abort();
  await run.next(clearedCall({ signal: leaving.signal }));
  if (how === 'does not come back') run.abandon();
  expect(isStopped).toBe(true);
});

test('a client that left after it was asked does not end the call: it is expected back', async () => {
  let isStopped = false;
  const { run } = running(({ signal, onQuestion }) => {
    signal.addEventListener('abort', () => {
      isStopped = true;
    });
    return onQuestion(form('a'), never);
  });
  const connection = new AbortController();
  await run.next(clearedCall({ signal: connection.signal }));
  connection.abort();
  expect(isStopped).toBe(false);
  run.answer({ q1: {} });
  expect(await run.next(clearedCall())).toEqual({ outcome: DONE });
});

test('a fault is thrown to whoever waits next', async () => {
  const run = createRun(() => Promise.reject(new TypeError('our bug')));
  await soon();
  await expect(run.next(clearedCall())).rejects.toThrow('our bug');
});
