import { expect, test } from 'vitest';
import type { Definition } from '#call';
import { callMethods, InvalidParams, listMethods, pageOf, targetOf } from './methods.ts';

const named = (...names: string[]): Definition[] => names.map((name) => ({ name }));

const walk = (list: readonly Definition[], size: number): string[] => {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const { page, nextCursor } = pageOf(list, cursor, size);
    seen.push(...page.map(({ name }) => String(name)));
    cursor = nextCursor;
  } while (cursor);
  return seen;
};

test.each([1, 2, 3, 4, 100])('pages of %i show every entry once, in order', (size) => {
  expect(walk(named('a', 'b', 'c', 'd'), size)).toEqual(['a', 'b', 'c', 'd']);
});

test('an entry that comes or goes before the position neither repeats nor hides another', () => {
  const { nextCursor } = pageOf(named('b', 'c', 'd', 'e'), undefined, 2);
  expect(pageOf(named('a', 'b', 'c', 'd', 'e'), nextCursor, 2).page).toEqual(named('d', 'e'));
  expect(pageOf(named('c', 'd', 'e'), nextCursor, 2).page).toEqual(named('d', 'e'));
});

test('an empty list is one empty page', () => {
  expect(pageOf([], undefined, 10)).toEqual({ page: [] });
});

test.each(['x', '', 'e30', 5])('the cursor %j is refused', (cursor) => {
  expect(() => pageOf(named('a'), cursor, 10)).toThrow(InvalidParams);
});

test('each method says which capability it reaches', () => {
  expect(targetOf('tools/call', { name: 's__t', arguments: { a: 1 } })).toEqual({ kind: 'tool', exposedName: 's__t' });
  expect(targetOf('resources/read', { uri: 's::x://1' })).toEqual({ kind: 'resource', exposedName: 's::x://1' });
  const argument = { name: 'a', value: '' };
  expect(targetOf('completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument })).toEqual({
    kind: 'prompt',
    exposedName: 'p',
  });
});

test.each([
  ['tools/call', {}, 'name'],
  ['tools/call', { name: 5 }, 'name'],
  ['tools/call', { name: 't', arguments: [] }, 'arguments'],
  ['resources/read', { uri: '' }, 'uri'],
  ['completion/complete', { ref: { type: 'ref/x' } }, 'ref'],
])('%s with %j is refused, naming %s', (method, params, field) => {
  expect(() => targetOf(method, params)).toThrow(field);
});

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('%s is no method', (name) => {
  expect([name in listMethods, name in callMethods, listMethods[name]]).toEqual([false, false, undefined]);
});
