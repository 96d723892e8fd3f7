import { expect, test } from 'vitest';
import type { Message } from '../wire.ts';
import { createQuestions } from './session-questions.ts';

const FORM = { method: 'elicitation/create', params: { message: 'Who?' } };
const never = new AbortController().signal;

const HERE = '00000000-0000-0000-0000-000000000001';
const asking = (timeoutMs = 5_000, processId = HERE) => {
  const mailed: unknown[] = [];
  let arrive = (_body: unknown) => {};
  const questions = createQuestions({
    timeoutMs,
    processId,
    mail: {
      send: async (...one) => void mailed.push(one),
      listen: (listener) => {
        arrive = listener;
        return () => {};
      },
    },
  });
  const sent: Message[] = [];
  const ask = (sessionId: string, question = FORM, signal = never) =>
    questions.ask(sessionId, question, (message) => void sent.push(message), signal);
  const id = () => String(sent[0]?.id);
  return { questions, sent, ask, id, mailed, arrive: (body: unknown) => arrive(body) };
};

test('only the session that was asked can answer, and once', async () => {
  const { questions, sent, ask, id, mailed } = asking();
  const reply = ask('ada');
  expect(sent).toEqual([{ jsonrpc: '2.0', id: expect.stringMatching(/^peta:/), ...FORM }]);
  const yes = { result: { action: 'accept' } };
  const no = { result: { action: 'decline' } };
  await questions.answered('bob', id(), no);
  await questions.answered('ada', 'peta:other', no);
  await questions.answered('ada', id(), yes);
  await questions.answered('ada', id(), no);
  expect([await reply, mailed]).toEqual([yes, []]);
});

test('an answer that comes to another process is passed to the one that asked', async () => {
  const { ask, id, arrive } = asking();
  const other = asking(5_000, '00000000-0000-0000-0000-000000000002');
  const reply = ask('ada');
  const yes = { result: { action: 'accept' } };
  await other.questions.answered('ada', id(), yes);
  const [[to, body] = []] = other.mailed as [string, object][];
  expect(to).toBe(HERE);
  arrive({ ...body, session: 'bob' });
  arrive('rubbish');
  arrive(body);
  expect(await reply).toEqual(yes);
});

test('a question that is withdrawn or not answered in time is taken back', async () => {
  const withdrawn = new AbortController();
  const { sent, ask, id } = asking();
  const reply = ask('ada', FORM, withdrawn.signal);
  withdrawn.abort();
  expect(await reply).toMatchObject({ error: { message: 'The question was withdrawn.' } });
  const takenBack = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id() } };
  expect(sent[1]).toEqual(takenBack);
  const late = asking(20);
  expect(await late.ask('ada')).toMatchObject({ error: { message: expect.stringContaining('within 0.02 s') } });
  expect(late.sent[1]).toMatchObject({ method: 'notifications/cancelled' });
  expect(await ask('ada', FORM, AbortSignal.abort())).toMatchObject({ error: { code: -32603 } });
});

test('a session that ends answers nothing any more', async () => {
  const { questions, ask } = asking();
  const replies = [ask('ada'), ask('ada'), ask('bob')];
  questions.ended('ada');
  for (const reply of replies.slice(0, 2)) expect(await reply).toMatchObject({ error: { code: -32603 } });
  const isOpen = await Promise.race([replies[2], Promise.resolve('open')]);
  expect(isOpen).toBe('open');
});

test('a page that a user is sent to has an id, its own or one of ours', () => {
  const { ask, sent } = asking();
  const page = { mode: 'url', url: 'https://a.example' };
  void ask('ada', { method: FORM.method, params: { message: 'Go', ...page } });
  void ask('ada', { method: FORM.method, params: { message: 'Go', ...page, elicitationId: 'theirs' } as never });
  expect(sent.map(({ params }) => params)).toMatchObject([
    { ...page, elicitationId: expect.any(String) },
    { ...page, elicitationId: 'theirs' },
  ]);
});

test('outside a call a session is asked on its stream, if it has one', async () => {
  const { questions, sent } = asking();
  let stream: ((message: Message) => void) | undefined;
  const ask = questions.onStream('ada', () => stream);
  expect(await ask(FORM, never)).toMatchObject({ error: { code: -32603 } });
  stream = (message) => void sent.push(message);
  void ask(FORM, never);
  expect(sent).toHaveLength(1);
});
