import type { Verdict } from './verdict.ts';

const both = ({ passed, failed }: { passed: number; failed: number }): string => `${passed} passed, ${failed} failed`;

/** One line of totals. */
export const lineOf = (
  leg: string,
  { scored, notScored, checks, skipped, expected }: Verdict,
  seconds: number,
): string => {
  const left = skipped > 0 ? `, ${skipped} skipped by the suite` : '';
  const known = expected > 0 ? `; ${expected} failed as expected` : '';
  return `${leg}: scored ${both(scored)}; not scored ${both(notScored)}${left}; checks ${both(checks)}${known} (${seconds.toFixed(0)} s)`;
};

const HEADINGS = [
  'leg',
  'scored',
  'failed',
  'not scored',
  'failed',
  'skipped',
  'checks',
  'failed',
  'expected',
  'surprises',
];

const cellsOf = (leg: string, { scored, notScored, checks, skipped, expected, surprises }: Verdict): string[] => {
  const numbers = [scored.passed, scored.failed, notScored.passed, notScored.failed, skipped];
  return [leg, ...[...numbers, checks.passed, checks.failed, expected, surprises.length].map(String)];
};

/** All legs at a glance. */
export const table = (verdicts: ReadonlyMap<string, Verdict>): string => {
  const rows = [HEADINGS, ...[...verdicts].map(([leg, verdict]) => cellsOf(leg, verdict))];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  const [headings = '', ...lines] = rows.map(line);
  return [headings, '-'.repeat(headings.length), ...lines].join('\n');
};
