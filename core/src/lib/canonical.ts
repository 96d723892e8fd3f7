import { ExactNumber } from './exact-number.ts';

const sorted = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, sorted(item)]);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
};

/** The JSON of a value, the same whatever the order of its keys: whoever wrote or stored it may have changed that. */
export const canonical = (value: unknown): string => JSON.stringify(sorted(value));
