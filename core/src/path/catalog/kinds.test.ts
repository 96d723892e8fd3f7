import { expect, test } from 'vitest';
import { kindsOf } from './kinds.ts';

test('a client can be asked in the ways that it declares, always in one order', () => {
  expect(kindsOf({ roots: {}, elicitation: { url: {} } })).toEqual(['elicitation', 'roots']);
  expect(kindsOf({ sampling: {}, tasks: {}, experimental: {} })).toEqual(['sampling']);
  expect(kindsOf({})).toEqual([]);
});

test('what is no object declares nothing', () => {
  expect(kindsOf({ roots: null, elicitation: true, sampling: [] })).toEqual([]);
});
