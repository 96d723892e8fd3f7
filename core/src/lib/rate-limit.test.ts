import { expect, test } from 'vitest';
import { createRateLimit } from './rate-limit.ts';

test('so many a minute pass, for each key alone, and what is refused does not count', () => {
  let now = 0;
  const take = createRateLimit(() => now);
  const ten = () => Array.from({ length: 20 }, () => take('a', 10)).filter(Boolean).length;
  expect(ten()).toBe(10);
  expect(take('b', 10)).toBe(true);
  now = 59_999;
  expect(take('a', 10)).toBe(false);
  now = 120_000;
  expect(ten()).toBe(10);
});

test('the border between two minutes doubles nothing', () => {
  let now = 59_000;
  const take = createRateLimit(() => now);
  for (let taken = 0; taken < 10; taken += 1) take('a', 10);
  now = 61_000;
  expect(take('a', 10)).toBe(false);
  now = 90_000;
  expect(Array.from({ length: 20 }, () => take('a', 10)).filter(Boolean)).toHaveLength(5);
});

test('any number of keys takes a bounded amount of memory, the longest unused going first', () => {
  const take = createRateLimit(() => 0);
  take('first', 1);
  for (let key = 0; key < 10_001; key += 1) take(String(key), 1);
  expect(take('first', 1)).toBe(true);
  expect(take('10000', 1)).toBe(false);
});
