import { expect, test } from 'vitest';
import { createLogLevel } from './log-level.ts';
import { soon } from './test-call.ts';

test('a server is made more talkative, never less, and once for each level', async () => {
  const sent: unknown[] = [];
  const level = createLogLevel(async (_method, params) => void sent.push(params.level));
  for (const wanted of ['error', 'info', 'error', 'info', undefined, 'nonsense', 'debug']) await level.atLeast(wanted);
  expect(sent).toEqual(['error', 'info', 'debug']);
});

test('everybody who wants a level waits until the server has it', async () => {
  let done = () => {};
  const level = createLogLevel(
    () =>
      new Promise<void>((set) => {
        done = set;
      }),
  );
  let ready = 0;
  for (let at = 0; at < 3; at += 1)
    void level.atLeast('info').then(() => {
      ready += 1;
    });
  await soon();
  expect(ready).toBe(0);
  done();
  await soon();
  expect(ready).toBe(3);
});

test('a server that refuses, or has no levels, is let be', async () => {
  await createLogLevel(() => Promise.reject(new Error('no'))).atLeast('info');
  await createLogLevel(undefined).atLeast('info');
});
