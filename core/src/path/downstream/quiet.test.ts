import { expect, test } from 'vitest';
import { createQuiet } from './quiet.ts';

const server = { workspaceId: 'w', serverId: 's' };
const tool = (name: string) => ({ ...server, kind: 'tool' as const, name });
const resource = (name: string) => ({ ...server, kind: 'resource' as const, name });

test('what has not been seen to be quiet may ask', () => {
  const quiet = createQuiet();
  expect(quiet.mayAsk(tool('a'))).toBe(true);
  quiet.succeeded(tool('a'));
  expect([quiet.mayAsk(tool('a')), quiet.mayAsk(tool('b'))]).toEqual([false, true]);
  expect(quiet.mayAsk({ ...tool('a'), serverId: 'other' })).toBe(true);
  expect(quiet.mayAsk({ ...tool('a'), workspaceId: 'other' })).toBe(true);
});

test('what has asked once may ask again, however often it does not', () => {
  const quiet = createQuiet();
  quiet.succeeded(tool('a'));
  quiet.asked(tool('a'));
  quiet.succeeded(tool('a'));
  expect(quiet.mayAsk(tool('a'))).toBe(true);
});

test('resources are alike, and are not tools', () => {
  const quiet = createQuiet();
  quiet.succeeded(resource('file:///1'));
  expect([quiet.mayAsk(resource('file:///2')), quiet.mayAsk(tool('file:///1'))]).toEqual([false, true]);
});

test('a server that surprised is trusted no more, until it is another one', () => {
  const quiet = createQuiet();
  quiet.succeeded(tool('a'));
  quiet.surprised(server);
  expect(quiet.mayAsk(tool('a'))).toBe(true);
  quiet.forget(server);
  quiet.succeeded(tool('a'));
  expect(quiet.mayAsk(tool('a'))).toBe(false);
});
