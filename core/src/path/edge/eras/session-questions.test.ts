import { expect, test } from 'vitest';
import type { Message } from '../wire.ts';
import { createQuestions } from './session-questions.ts';

const FORM = { method: 'elicitation/create', params: { message: 'Who?' } };
const never = new AbortController().signal;

const asking = (timeoutMs = 5_000) => {
  const questions = createQuestions(timeoutMs);
  const sent: Message[] = [];
  const ask = (sessionId: string, question = FORM, signal = never) =>
    questions.ask(sessionId, question, (message) => void sent.push(message), signal);
  const id = () => String(sent[0]?.id);
  return { questions, sent, ask, id };
};

test('only the session that was asked can answer, and once', async () => {
  const { questions, sent, ask, id } = asking();
  const reply = ask('ada');
  expect(sent).toEqual([{ jsonrpc: '2.0', id: expect.stringMatching(/^peta:/), ...FORM }]);
  const yes = { result: { action: 'accept' } };
  expect(questions.answered('bob', id(), yes)).toBe(false);
  expect(questions.answered('ada', 'peta:other', yes)).toBe(false);
  expect(questions.answered('ada', id(), yes)).toBe(true);
  expect(questions.answered('ada', id(), yes)).toBe(false);
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
