import { scan } from './json-scan.ts';
import { readSlowly } from './json-slow.ts';

/** So many objects and lists may stand in one another. */
export const MAX_DEPTH = 256;

/** Do more than so many objects and lists stand in one another here? */
export const isNestedDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((item) => isNestedDeeper(item, levels - 1)));

const countKeys = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const items: unknown[] = Array.isArray(value) ? value : Object.values(value);
  let count = items === value ? 0 : items.length;
  for (const item of items) if (typeof item === 'object' && item !== null) count += countKeys(item);
  return count;
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return readSlowly(text, MAX_DEPTH);
  }
};

/**
 * Reads JSON of which nothing may be lost or read in two ways: an object with the same key twice, nesting of more than
 * 256 levels and whatever is not JSON throw a `JsonFault`. A number that JavaScript would write with other digits becomes
 * an `ExactNumber`.
 */
export const readJson = (text: string): unknown => {
  const { keys, depth, everyNumberSurvives, hasEscapedKey } = scan(text);
  if (depth > MAX_DEPTH || !everyNumberSurvives || hasEscapedKey) return readSlowly(text, MAX_DEPTH);
  const value = parse(text);
  // JSON.parse lets the last of equal keys win: each one before it is missing from what it gives.
  return countKeys(value) === keys ? value : readSlowly(text, MAX_DEPTH);
};
