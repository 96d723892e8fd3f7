import { expect, test } from 'vitest';
import { plain } from './print.ts';

test('control characters of somebody else’s text do not reach the terminal', () => {
  expect(plain('\u001b[31mred\u001b[0m \u009b2J\tkept\nkept')).toBe('[31mred[0m 2J\tkept\nkept');
});
