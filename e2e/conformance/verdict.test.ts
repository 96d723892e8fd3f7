import { describe, expect, test } from 'vitest';
import { parseExpected } from './expected.ts';
import type { Check } from './suite.ts';
import { judge } from './verdict.ts';

const check = (id: string, status: Check['status']): Check => ({ id, status, description: 'why' });
const requirements = { scored: ['a', 'b'], notScored: ['c'] };
const good = [check('fine', 'SUCCESS')];

const verdictOf = (results: Record<string, Check[]>, expected = '') =>
  judge(new Map(Object.entries(results)), requirements, parseExpected(expected));

test('what the revision demands is counted apart from what the suite runs beside it', () => {
  const verdict = verdictOf({ a: good, b: good, c: good });
  expect(verdict).toMatchObject({
    scored: { passed: 2, failed: 0 },
    notScored: { passed: 1, failed: 0 },
    surprises: [],
  });
});

describe('a surprise is', () => {
  test.each([
    ['a failed check', [check('x', 'FAILURE')], 'b: x: why'],
    ['a warning', [check('x', 'WARNING'), ...good], 'b: x: why'],
    ['a scenario in which nothing was checked', [check('x', 'INFO')], 'b: none: nothing could be checked'],
  ])('%s', (_what, b, surprise) => {
    expect(verdictOf({ a: good, b, c: good })).toMatchObject({ scored: { failed: 1 }, surprises: [surprise] });
  });

  test('a scenario that did not end', () => {
    expect(verdictOf({ a: good, c: good }).surprises).toEqual(['b: end: did not run to its end']);
  });

  test('an expected failure that did not happen', () => {
    const verdict = verdictOf({ a: good, b: good, c: good }, '# broken\n- b:x');
    expect(verdict.surprises).toEqual(['b:x is expected to fail and does not: take it off the list.']);
  });

  test('another check of a scenario of which one may fail', () => {
    const b = [check('x', 'FAILURE'), check('y', 'FAILURE')];
    const verdict = verdictOf({ a: good, b, c: good }, '# broken\n- b:x');
    expect(verdict).toMatchObject({ expected: 0, surprises: ['b: y: why'] });
  });
});

test('a failure that is expected is counted and no surprise', () => {
  const verdict = verdictOf({ a: good, b: [check('x', 'FAILURE')], c: good }, 'server:\n  # broken\n  - b');
  expect(verdict).toMatchObject({ scored: { passed: 1, failed: 1 }, expected: 1, surprises: [] });
});

test('a scenario that the suite leaves out neither passes nor fails', () => {
  const verdict = verdictOf({ a: good, b: good, c: [check('x', 'SKIPPED')] });
  expect(verdict).toMatchObject({ notScored: { passed: 0, failed: 0 }, skipped: 1, surprises: [] });
});

test('an expected failure says why, for itself or with those below it', () => {
  expect(parseExpected('# one\n# reason\n- a\n- b:x\n')).toEqual([
    { scenario: 'a', check: undefined, reason: 'one reason' },
    { scenario: 'b', check: 'x', reason: 'one reason' },
  ]);
  expect(() => parseExpected('# reason\n- a\n\n- b\n')).toThrow('"- b" has no reason');
});
