import { expect, test } from 'vitest';
import type { ClearedCall, JsonObject, Outcome, Question, Reply } from '#call';
import type { Connection } from './connection.ts';
import { RpcError } from './errors.ts';
import { createExecute, type Want } from './execute.ts';
import { createQuiet } from './quiet.ts';
import type { RequestOptions } from './requests.ts';
import { clearedCall, form } from './test-call.ts';
import { unused } from './test-downstream.ts';

type Answer = (params: JsonObject, options: RequestOptions) => Promise<JsonObject>;

/** Executes calls against one server; `wants` is what was asked of its pool. */
const executing = (answer: Answer, isStateless = false) => {
  const wants: (Want | undefined)[] = [];
  const sent: JsonObject[] = [];
  const bound: string[] = [];
  const quiet = createQuiet();
  const connection: Connection = {
    ...unused,
    isStateless,
    request: async (_method, params, options) => {
      sent.push(params);
      return answer(params, options);
    },
  };
  const execute = createExecute({
    use: (_key, run, want) => {
      wants.push(want);
      const bind = () => void bound.push(want?.affinity ?? '');
      return run({ connection, bind, keep: () => () => {} });
    },
    lendForTask: () => Promise.reject(new Error('no tasks here')),
    support: () => undefined,
    callTimeoutMs: 1_000,
    quiet,
  });
  const asked: Question[] = [];
  const run = (call: ClearedCall, reply: Reply = { result: { action: 'accept' } }): Promise<Outcome> =>
    execute(
      call,
      {
        signal: call.signal,
        notify: call.notify,
        onQuestion: async (question) => {
          asked.push(question);
          return reply;
        },
      },
      {},
    );
  return { run, wants, sent, bound, asked };
};
const inSession = { sessionId: 's1', question: async (): Promise<Reply> => ({ result: {} }) };
const once = (first: JsonObject, then: JsonObject): Answer => {
  let calls = 0;
  return async () => {
    calls += 1;
    return calls === 1 ? first : then;
  };
};

test('a call runs alone until it was seen to ask nothing, then it shares; a failure teaches nothing', async () => {
  let isError = true;
  const { run, wants } = executing(async () => ({ isError }));
  await run(clearedCall());
  await run(clearedCall());
  isError = false;
  await run(clearedCall());
  await run(clearedCall());
  expect(wants.map((want) => want?.isAlone)).toEqual([true, true, true, false]);
});

test('a client that can be asked nothing needs no connection of its own', async () => {
  const { run, wants } = executing(async () => ({}));
  await run(clearedCall({ client: { name: 'c', version: '1', capabilities: { tasks: {} } } }));
  expect(wants).toEqual([undefined]);
});

test('calls of one session are of one party, calls without a session each of their own', async () => {
  const { run, wants } = executing(async () => ({}));
  for (const more of [inSession, inSession, {}, {}]) await run(clearedCall(more));
  const parties = wants.map((want) => want?.party);
  expect([parties[0], new Set(parties).size]).toEqual(['s1', 3]);
  expect(wants[2]?.affinity).toBe(wants[3]?.affinity);
});

test('what a server asks in the course of a call is put to its client, if that declared it', async () => {
  const replies: unknown[] = [];
  const { run, asked, bound } = executing(async (_params, { onQuestion }) => {
    const signal = new AbortController().signal;
    replies.push(await onQuestion?.(form('a'), signal));
    replies.push(await onQuestion?.({ method: 'roots/list', params: {} }, signal));
    return {};
  });
  const client = { name: 'c', version: '1', capabilities: { roots: {} } };
  await run(clearedCall({ client }));
  expect(asked.map(({ method }) => method)).toEqual(['roots/list']);
  expect(replies[0]).toMatchObject({ error: { code: -32602 } });
  expect(bound).toHaveLength(1);
});

test('a client with a session is asked at once what a newer server answers with, and the call goes on', async () => {
  const inputRequests = { name: form('name?') };
  const { run, sent } = executing(
    once({ resultType: 'input_required', inputRequests, requestState: 'mine' }, { ok: true }),
    true,
  );
  expect(await run(clearedCall(inSession))).toMatchObject({ kind: 'done', result: { ok: true } });
  expect(sent[1]).toMatchObject({ inputResponses: { name: { action: 'accept' } }, requestState: 'mine' });
});

test('what such a client refuses to answer is the answer of the call', async () => {
  const { run } = executing(async () => ({ resultType: 'input_required', inputRequests: { a: form('a') } }), true);
  const error = { code: -1, message: 'no' };
  expect(await run(clearedCall(inSession), { error })).toEqual({ kind: 'failed', error });
});

test('a server that asks without end is stopped', async () => {
  const { run, sent } = executing(async () => ({ resultType: 'input_required', inputRequests: {} }), true);
  expect(await run(clearedCall(inSession))).toMatchObject({ kind: 'failed', error: { code: -32603 } });
  expect(sent).toHaveLength(33);
});

const visit = { mode: 'url', elicitationId: 'e1', url: 'https://a.example', message: 'Sign in' };
const REQUIRED = new RpcError(-32042, 'first a page', { elicitations: [visit] });
const refusing = (): Answer => {
  let calls = 0;
  return async (_params, { onNotification }) => {
    calls += 1;
    if (calls > 1) return { ok: true };
    setTimeout(() => onNotification?.('notifications/elicitation/complete', { elicitationId: 'e1' }), 20);
    throw REQUIRED;
  };
};
const withPages = { name: 'c', version: '1', capabilities: { elicitation: { url: {} } } };

test('a page that is needed first is a question to a client without a session; then the call is made again', async () => {
  const { run, asked, sent } = executing(refusing());
  expect(await run(clearedCall({ client: withPages }))).toMatchObject({ kind: 'done', result: { ok: true } });
  expect(asked).toEqual([{ method: 'elicitation/create', params: visit }]);
  expect(sent).toHaveLength(2);
});

test('a page that is declined ends the call', async () => {
  const { run, sent } = executing(refusing());
  const outcome = await run(clearedCall({ client: withPages }), { result: { action: 'decline' } });
  expect(outcome).toMatchObject({ kind: 'failed', error: { code: -32603 } });
  expect(sent).toHaveLength(1);
});

test.each([
  ['has a session', inSession],
  ['declared no pages', { client: { name: 'c', version: '1', capabilities: { sampling: {} } } }],
])('the refusal reaches a client as it is that %s', async (_who, more) => {
  const { run, asked } = executing(refusing());
  expect(await run(clearedCall(more))).toMatchObject({ kind: 'failed', error: { code: -32042 } });
  expect(asked).toEqual([]);
});
