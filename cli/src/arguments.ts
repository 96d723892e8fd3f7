import { InvalidArgumentError } from 'commander';

/** Reads a whole number from 1 up, for commander. Throws what commander reports as misuse. */
export const wholeNumber = (text: string): number => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('Give a whole number from 1 up.');
  return number;
};

const UNITS: Record<string, number> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Reads `12h`, `30d` or `4w` as milliseconds, for commander. Throws what commander reports as misuse. */
export const duration = (text: string): number => {
  const [, number = '', unit = ''] = /^(\d{1,4})([hdw])$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? 0);
  if (ms === 0) throw new InvalidArgumentError('Give a number and h, d or w, such as 30d.');
  return ms;
};
