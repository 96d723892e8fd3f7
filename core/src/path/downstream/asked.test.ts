import { expect, test } from 'vitest';
import type { JsonObject, Reply } from '#call';
import { createAsked } from './asked.ts';
import { createPages } from './pages.ts';
import type { Pending } from './requests.ts';
import { soon } from './test-call.ts';

const ACCEPTED: Reply = { result: { action: 'accept' } };

/** A connection on which requests come and go by hand. */
const connection = ({ isAwaited = false } = {}) => {
  const pending = new Map<string, Pending>();
  const sent: JsonObject[] = [];
  const strays: string[] = [];
  const heard: string[] = [];
  let isFirstAwaited = isAwaited;
  let ambiguous = 0;
  const asked = createAsked({
    pending,
    send: async (message) => void sent.push(message as JsonObject),
    isAwaited: () => isFirstAwaited,
    pages: createPages(),
    followers: new Map(),
    onStray: (method) => void strays.push(method),
    onAmbiguous: () => {
      ambiguous += 1;
    },
  });
  /** Begins a request of a party; returns the function that ends it. */
  const begin = (id: string, party: string, more: Partial<Pending> = {}) => {
    const over = new AbortController();
    isFirstAwaited = false;
    pending.set(id, {
      party,
      over: over.signal,
      onNotification: (method) => void heard.push(`${party} hears ${method}`),
      onQuestion: async () => {
        heard.push(`${party} is asked`);
        return ACCEPTED;
      },
      resolve: () => {},
      reject: () => {},
      progressed: () => {},
      pause: () => {},
      resume: () => {},
      ...more,
    });
    return () => {
      pending.delete(id);
      over.abort();
    };
  };
  const ask = (stream?: string, id: string | number = 'q', method = 'elicitation/create') =>
    asked.take({ jsonrpc: '2.0', id, method, params: { message: 'Who?' } }, stream);
  const say = (method: string, stream?: string, params = {}) => asked.take({ jsonrpc: '2.0', method, params }, stream);
  return { asked, sent, strays, heard, begin, ask, say, ambiguous: () => ambiguous };
};
const REFUSED = expect.objectContaining({ error: expect.objectContaining({ code: -32601 }) });

test('a question reaches the only one whom it can mean, and the answer the server', async () => {
  const { begin, ask, heard, sent } = connection();
  begin('peta:1', 'ada');
  expect(ask()).toBe(true);
  await soon();
  expect(heard).toEqual(['ada is asked']);
  expect(sent).toEqual([{ jsonrpc: '2.0', id: 'q', ...ACCEPTED }]);
});

test('on the stream of a request it reaches that request alone, and nobody once that has ended', async () => {
  const { begin, ask, say, heard, sent, strays } = connection();
  begin('peta:1', 'ada');
  begin('peta:2', 'bob');
  ask('peta:1');
  say('notifications/message', 'peta:2');
  await soon();
  expect(heard).toEqual(['bob hears notifications/message', 'ada is asked']);
  ask('peta:7', 'late');
  say('notifications/message', 'peta:7');
  await soon();
  expect(sent.at(-1)).toEqual(REFUSED);
  expect(strays).toEqual(['notifications/message', 'elicitation/create']);
  expect(heard).toHaveLength(2);
});

test('a request whose client cannot be asked is not asked, nor is anybody else in its place', async () => {
  const { begin, ask, heard, sent } = connection();
  begin('peta:1', 'ada');
  begin('peta:2', 'nobody', { onQuestion: undefined });
  ask('peta:2');
  await soon();
  expect([heard, sent]).toEqual([[], [REFUSED]]);
});

test('while several could be meant nobody is asked, until only one is left', async () => {
  const { begin, ask, heard, ambiguous } = connection();
  const end = begin('peta:1', 'ada');
  begin('peta:2', 'bob');
  ask();
  await soon(50);
  expect([heard, ambiguous()]).toEqual([[], 1]);
  end();
  await soon(50);
  expect(heard).toEqual(['bob is asked']);
});

test('somebody who came later is never taken for one of several who have left', async () => {
  const { begin, ask, heard, sent } = connection();
  const ends = [begin('peta:1', 'ada'), begin('peta:2', 'bob')];
  ask();
  await soon();
  for (const end of ends) end();
  begin('peta:3', 'eve');
  await soon(50);
  expect([heard, sent]).toEqual([[], [REFUSED]]);
});

test('what may concern several parties is told to none, and to the latest request of one party', async () => {
  const { begin, say, heard, strays } = connection();
  begin('peta:1', 'ada');
  const end = begin('peta:2', 'bob');
  say('notifications/message');
  expect([heard, strays]).toEqual([[], ['notifications/message']]);
  end();
  begin('peta:3', 'ada');
  say('notifications/message');
  expect(heard).toEqual(['ada hears notifications/message']);
});

test('a server that asks as soon as it is connected to is answered by the first request', async () => {
  const { begin, ask, heard } = connection({ isAwaited: true });
  ask();
  await soon();
  begin('peta:1', 'ada');
  await soon(50);
  expect(heard).toEqual(['ada is asked']);
});

test('a server that asks out of the blue asks nobody', async () => {
  const { begin, ask, heard, sent, strays } = connection();
  ask();
  await soon();
  begin('peta:1', 'ada');
  await soon();
  expect([heard, sent, strays]).toEqual([[], [REFUSED], ['elicitation/create']]);
});

test.each(['withdrawn', 'answered without it'])('a question is put no longer once its call is %s', async (how) => {
  const { begin, ask, say, asked, sent } = connection();
  let isOver = false;
  const end = begin('peta:1', 'ada', {
    onQuestion: (_question, signal) =>
      new Promise((done) => {
        signal.addEventListener('abort', () => {
          isOver = true;
          done({ error: { code: -1, message: 'over' } });
        });
      }),
  });
  ask(undefined, 7);
  await soon();
  if (how === 'withdrawn') say('notifications/cancelled', undefined, { requestId: 7 });
  else end();
  await soon();
  expect(isOver).toBe(true);
  // One who has withdrawn a question waits for no answer.
  expect(sent).toHaveLength(how === 'withdrawn' ? 0 : 1);
  asked.close();
});

test('a client that fails to answer is an error for the server, not for us', async () => {
  const { begin, ask, sent } = connection();
  begin('peta:1', 'ada', { onQuestion: () => Promise.reject(new Error('no voice')) });
  ask();
  await soon();
  expect(sent).toEqual([expect.objectContaining({ error: { code: -32603, message: 'no voice' } })]);
});

test('after its roots have changed a client is asked for them without a call, and for nothing else', async () => {
  const { asked, ask, sent } = connection();
  asked.rootsChanged(async () => ({ result: { roots: [] } }));
  ask(undefined, 1, 'roots/list');
  ask(undefined, 2);
  await soon();
  expect(sent).toEqual([{ jsonrpc: '2.0', id: 1, result: { roots: [] } }, REFUSED]);
});

test('what concerns the connection, and requests that are no questions, are left to others', () => {
  const { asked, say } = connection();
  expect(say('notifications/tools/list_changed')).toBe(false);
  expect(asked.take({ jsonrpc: '2.0', id: 1, method: 'ping' }, undefined)).toBe(false);
  expect(asked.take({ jsonrpc: '2.0', id: 1, result: {} }, undefined)).toBe(false);
});
