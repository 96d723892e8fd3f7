import { expect, test } from 'vitest';
import type { JsonObject, Question, Reply } from '#call';
import type { TaskFollower } from '../asked.ts';
import { createPlace } from './place.ts';

const form = (message: string): Question => ({
  method: 'elicitation/create',
  params: { message, _meta: { 'io.modelcontextprotocol/related-task': { taskId: 'own' } } },
});
const never = new AbortController().signal;

/** A place on a connection whose `tasks/result` is answered by `end`. */
const build = (progressToken?: string) => {
  const asked: string[] = [];
  let follower: TaskFollower | undefined;
  let end: (result: JsonObject) => void = () => {};
  const place = createPlace({
    taskId: 'own',
    callTimeoutMs: 1_000,
    ...(progressToken !== undefined && { progressToken }),
    connection: {
      followTask: (_taskId, given) => {
        follower = given;
        return () => {
          follower = undefined;
        };
      },
      request: (method, _params, { signal }) => {
        asked.push(method);
        return new Promise((resolve, reject) => {
          end = resolve;
          signal?.addEventListener('abort', () => reject(signal.reason));
        });
      },
    },
  });
  const ask = (message: string): Promise<Reply> => {
    if (!follower) throw new Error('nobody follows');
    return follower.onQuestion(form(message), never);
  };
  const say = (method: string, params: JsonObject) => follower?.onNotification(method, params);
  return { place, asked, ask, say, end: (result: JsonObject) => end(result) };
};

const answering = (content: string, heard: unknown[] = []) => ({
  signal: never,
  notify: (method: string, params: JsonObject) => void heard.push([method, params]),
  onQuestion: async ({ params }: Question): Promise<Reply> => ({ result: { content, message: params.message } }),
});

test('what a task asks while nobody waits is kept for whoever waits next', async () => {
  const { place, ask, end } = build();
  const reply = ask('Go on?');
  const waited = place.wait(answering('yes'));
  expect(await reply).toEqual({ result: { content: 'yes', message: 'Go on?' } });
  end({ content: [] });
  expect(await waited).toEqual({ content: [] });
});

test('who leaves before answering leaves the question to the next', async () => {
  const { place, ask } = build();
  const leaving = new AbortController();
  const gone = place.wait({
    ...answering('never'),
    signal: leaving.signal,
    onQuestion: () =>
      new Promise((done) => leaving.signal.addEventListener('abort', () => done({ result: { late: true } }))),
  });
  const reply = ask('Go on?');
  leaving.abort(new Error('left'));
  await expect(gone).rejects.toThrow('left');
  void place.wait(answering('yes')).catch(() => {});
  expect(await reply).toMatchObject({ result: { content: 'yes' } });
  place.close();
});

test('many who wait share one request, and the end reaches all', async () => {
  const { place, asked, end } = build();
  const waits = [place.wait(answering('a')), place.wait(answering('b'))];
  end({ content: [], _meta: { 'io.modelcontextprotocol/related-task': { taskId: 'own' } } });
  expect(await Promise.all(waits)).toEqual([{ content: [] }, { content: [] }]);
  expect(asked).toEqual(['tasks/result']);
});

test('questions can be come for and answered by their keys, each once', async () => {
  const { place, ask } = build();
  const replies = [ask('First?'), ask('Second?')];
  const open = await place.questions(1_000);
  expect([...open.values()].map(({ params }) => params)).toEqual([{ message: 'First?' }, { message: 'Second?' }]);
  const [first = '', second = ''] = open.keys();
  place.answer(second, { result: { n: 2 } });
  place.answer(second, { result: { n: 3 } });
  place.answer('unknown', { result: {} });
  expect([...(await place.questions(1_000)).keys()]).toEqual([first]);
  place.close();
  expect(await Promise.all(replies)).toMatchObject([{ error: {} }, { result: { n: 2 } }]);
});

test('progress of a task reaches who waits, under the name that the client gave it', async () => {
  const heard: unknown[] = [];
  const { place, say } = build('mine');
  const waited = place.wait(answering('', heard)).catch(() => {});
  const related = { 'io.modelcontextprotocol/related-task': { taskId: 'own' } };
  say('notifications/progress', { progressToken: 'peta:1', progress: 1, _meta: related });
  expect(heard).toEqual([['notifications/progress', { progressToken: 'mine', progress: 1 }]]);
  place.close();
  await waited;
});
