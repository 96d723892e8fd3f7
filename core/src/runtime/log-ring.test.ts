import { expect, test } from 'vitest';
import { createLogRing } from './log-ring.ts';

const ring = () => createLogRing(() => new Date(0));

test('the last thousand lines are kept, oldest first', () => {
  const lines = ring();
  for (let i = 0; i < 1_500; i += 1) lines.add('stderr', `line ${i}`);
  expect(lines.last(5_000).length).toBe(1_000);
  expect(lines.last(2).map(({ text }) => text)).toEqual(['line 1498', 'line 1499']);
  expect(lines.last(0)).toEqual([]);
});

test.each(['x', 'é', '漢', '😀'])('a line is kept up to 4 KiB, and no character of it is cut (%s)', (character) => {
  const lines = ring();
  lines.add('stdout', character.repeat(10_000));
  const text = lines.last(1)[0]?.text ?? '';
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
  expect(Buffer.byteLength(text)).toBeGreaterThan(4_080);
  expect(text).toMatch(new RegExp(`^(${character})+…$`, 'u'));
});
