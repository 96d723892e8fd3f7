import { expect, test } from 'vitest';
import { rounded } from './exact-number.ts';
import { readJson } from './json.ts';
import { JsonFault } from './json-fault.ts';
import { readSlowly } from './json-slow.ts';

/** The same sequence on every run, so that a failure can be seen again. */
const createRandom = (seed: number) => {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, pick: (from: readonly string[]) => from[below(from.length)] ?? '' };
};
type Random = ReturnType<typeof createRandom>;

const LETTERS = [
  'a',
  'b',
  '"',
  '\\',
  '/',
  'é',
  '漢',
  '😀',
  '\ud800',
  '\n',
  ':',
  '{',
  ',',
  '1',
  ' ',
  '\\"',
  'x'.repeat(40),
];
const SPACES = ['', '', '', ' ', '\n', '\t ', '\r\n'];

const string = ({ below, pick }: Random): string => {
  const plain = JSON.stringify(Array.from({ length: below(5) }, () => pick(LETTERS)).join(''));
  return below(4) === 0 ? plain.replace(/a/g, '\\u0061').replace(/\//g, '\\/') : plain;
};

const number = ({ below, pick }: Random): string => {
  const digits = (length: number) => Array.from({ length }, () => below(10)).join('');
  const whole = below(3) === 0 ? '0' : `${1 + below(9)}${digits(below(20))}`;
  const fraction = below(2) === 0 ? '' : `.${digits(1 + below(20))}`;
  const exponent = below(4) === 0 ? `${pick(['e', 'E'])}${pick(['', '+', '-'])}${below(400)}` : '';
  return `${pick(['', '-'])}${whole}${fraction}${exponent}`;
};

/** Without escapes, since JSON.parse misreads some keys that have one (nodejs/node#63785). */
const key = ({ below, pick }: Random): string =>
  `"${Array.from({ length: below(3) }, () => pick(['a', 'b', 'é', '😀', ':', '{', '12'])).join('')}"`;

/** A string in one of the many ways to write it. */
const spelled = (text: string, { below }: Random): string =>
  `"${[...text].map((char) => (below(3) === 0 ? escaped(char) : JSON.stringify(char).slice(1, -1))).join('')}"`;
const escaped = (char: string): string =>
  char.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A document, with equal keys now and then when they are wanted. */
const document = (random: Random, depth: number, repeats: boolean): string => {
  const { below, pick } = random;
  const gap = () => pick(SPACES);
  const inside = () => `${gap()}${document(random, depth - 1, repeats)}${gap()}`;
  const kind = below(depth > 0 ? 7 : 4);
  if (kind === 0) return pick(['true', 'false', 'null']);
  if (kind === 1) return number(random);
  if (kind < 4) return string(random);
  const length = below(5);
  if (kind === 4) return `[${gap()}${Array.from({ length }, inside).join(',')}]`;
  const keys = Array.from({ length }, () => (below(8) === 0 ? '"__proto__"' : key(random)));
  const kept = repeats ? keys : [...new Map(keys.map((name) => [JSON.parse(name), name])).values()];
  return `{${gap()}${kept.map((name) => `${gap()}${name}${gap()}:${inside()}`).join(',')}}`;
};

const read = (reader: (text: string) => unknown, text: string): unknown => {
  try {
    return { value: reader(text) };
  } catch (error) {
    if (error instanceof JsonFault || error instanceof SyntaxError)
      return error instanceof JsonFault ? error.kind : 'syntax';
    throw error;
  }
};

/** The numbers of a text in the order in which they stand, and nothing else of it. */
const digitsOf = (text: string): string[] =>
  [...text.replace(/"(?:[^"\\]|\\.)*"/g, '""').matchAll(/-?\d[\d.eE+-]*/g)].map(([digits]) => digits).sort();

test('10,000 random documents read as JSON.parse reads them, with the digits that they came with', () => {
  const random = createRandom(1);
  for (let round = 0; round < 10_000; round += 1) {
    const text = document(random, 6, false);
    const value = readJson(text);
    expect(rounded(value), text).toEqual(JSON.parse(text));
    expect(digitsOf(JSON.stringify(value)), text).toEqual(digitsOf(text));
    expect(readSlowly(text, 256), text).toEqual(value);
  }
});

test('10,000 documents with repeated keys are refused exactly when a key is repeated', () => {
  const random = createRandom(2);
  let refused = 0;
  for (let round = 0; round < 10_000; round += 1) {
    const text = document(random, 5, true);
    const slow = read((one) => readSlowly(one, 256), text);
    if (slow === 'duplicate') refused += 1;
    expect(read(readJson, text), text).toEqual(slow);
  }
  expect(refused).toBeGreaterThan(1_000);
});

test('30,000 damaged documents are refused exactly when JSON.parse refuses them', () => {
  const random = createRandom(3);
  for (let round = 0; round < 30_000; round += 1) {
    const whole = document(random, 4, false);
    const at = random.below(whole.length);
    const text = `${whole.slice(0, at)}${random.pick([...LETTERS, '', '}', ']', '"', 'e', '.', '-'])}${whole.slice(at + random.below(3))}`;
    const found = read(readJson, text);
    if (found === 'duplicate') continue;
    expect(found === 'syntax', text).toBe(read(JSON.parse, text) === 'syntax');
    expect(
      read((one) => readSlowly(one, 256), text),
      text,
    ).toEqual(found);
  }
});

test('10,000 objects have the keys that they were written with, in whichever way that was', () => {
  const random = createRandom(4);
  for (let round = 0; round < 10_000; round += 1) {
    const words = Array.from({ length: 1 + random.below(6) }, () => `k${JSON.parse(string(random))}`);
    const keys = [...new Set(words)];
    const text = `{${keys.map((name) => `${spelled(name, random)}:[]`).join(',')}}`;
    expect(Object.keys(readJson(text) as object), text).toEqual(keys);
    const twice = text.replace('}', `,${spelled(words[0] ?? '', random)}:1}`);
    if (!words.join('').includes('}')) expect(read(readJson, twice), twice).toBe('duplicate');
  }
});
