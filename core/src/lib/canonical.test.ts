import { expect, test } from 'vitest';
import { canonical } from './canonical.ts';
import { ExactNumber } from './exact-number.ts';

test('the order of keys makes no difference, the order of a list does', () => {
  expect(canonical({ b: [1, { d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[1,{"c":2,"d":1}]}');
  expect(canonical([2, 1])).not.toBe(canonical([1, 2]));
});

test('a number keeps its digits, and any key is a key', () => {
  expect(canonical({ n: new ExactNumber('1.50') })).toBe('{"n":1.50}');
  expect(canonical(JSON.parse('{"b":1,"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1},"b":1}');
});
