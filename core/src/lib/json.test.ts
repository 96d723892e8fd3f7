import { describe, expect, test } from 'vitest';
import { ExactNumber, rounded } from './exact-number.ts';
import { isNestedDeeper, readJson } from './json.ts';
import { JsonFault } from './json-fault.ts';

const again = (text: string): string => JSON.stringify(readJson(text));
const faultOf = (text: string): { kind: string; message: string } => {
  try {
    readJson(text);
  } catch (error) {
    if (error instanceof JsonFault) return { kind: error.kind, message: error.message };
    throw error;
  }
  return { kind: 'none', message: '' };
};

describe('duplicate keys', () => {
  test.each([
    ['at the top', '{"a":1,"b":2,"a":3}', 'a', 13],
    ['deep down', '{"x":[{"y":{"k":{},"k":{}}}]}', 'k', 19],
    ['after unescaping', '{"a":1,"\\u0061":1}', 'a', 7],
    ['the empty one', '{"":1,"":1}', '', 6],
    ['counted in bytes', '{"ö":"漢","ö":1}', 'ö', 12],
    ['the name of the prototype', '{"__proto__":1,"__proto__":2}', '__proto__', 15],
    ['one that hides whole objects', '{"a":{"b":1,"c":2},"a":{"b":1,"c":2}}', 'a', 19],
    ['beside a number to keep', '{"n":1.0,"a":1,"a":2}', 'a', 15],
  ])('are refused: %s', (_what, text, key, byte) => {
    const message = `The key ${JSON.stringify(key)} occurs twice in one object, the second time at byte ${byte}.`;
    expect(faultOf(text)).toEqual({ kind: 'duplicate', message });
  });

  test('are refused without repeating a long one', () => {
    const key = 'k'.repeat(100_000);
    expect(faultOf(`{"${key}":1,"${key}":2}`).message.length).toBeLessThan(200);
  });

  test('are not seen where there are none', () => {
    for (const text of ['[{"a":1},{"a":1}]', '{"a":{"a":{"a":1}}}', '{"a":"\\"a\\":1","b":":::"}', '{"a":1,"A":1}'])
      expect(again(text)).toBe(text);
  });
});

describe('numbers', () => {
  test.each(
    '1.0 1e3 1E3 -0 0.10 12345678901234567890 9007199254740993 -9007199254740993 1e400 0.1000000000000000055 1e-7 1.5e300 0.0000001 3.14159265358979323846 -0.0 100000000000000000000000'.split(
      ' ',
    ),
  )('%s comes back with its digits, wherever it stands', (digits) => {
    for (const text of [digits, `[${digits}]`, `{"a":{"b":[1,${digits}]}}`]) expect(again(text)).toBe(text);
  });

  test.each('0 -1 1.5 0.001 123456789012345 9007199254740991 9007199254740992 0.000001 1e+21 -0.5 1e-7'.split(' '))(
    '%s is an ordinary number',
    (digits) => {
      expect(readJson(digits)).toBe(Number(digits));
    },
  );

  test('one that is kept still counts as a number', () => {
    const kept = readJson('12345678901234567890');
    expect(kept).toBeInstanceOf(ExactNumber);
    expect([Number(kept), String(kept)]).toEqual([Number('12345678901234567890'), '12345678901234567890']);
  });

  test('those who calculate are given ordinary ones', () => {
    const plain = { a: [1, { b: 'x' }] };
    expect(rounded(plain)).toBe(plain);
    expect(rounded(readJson('{"a":[1.0,{"b":1e3,"__proto__":-2.50}]}'))).toEqual(
      JSON.parse('{"a":[1,{"b":1000,"__proto__":-2.5}]}'),
    );
  });
});

test('__proto__ is a key as any other, and touches no prototype', () => {
  for (const text of ['{"__proto__":{"polluted":true}}', '{"a":1.0,"__proto__":{"polluted":true}}']) {
    const value = readJson(text);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect(value).not.toHaveProperty('polluted');
    expect(JSON.stringify(value)).toBe(text);
  }
});

test('a key with an escape is read right, whatever was read before', () => {
  readJson('{"h":[],"\\\\":0}');
  for (const key of ['/', '\n', '"', 'a', '😀', 'long enough to be searched through\t'])
    expect(
      Object.keys(
        readJson(`{"h":1,${JSON.stringify(key).replace(/\//, '\\/').replace(/"a"/, '"\\u0061"')}:2}`) as object,
      ),
    ).toEqual(['h', key]);
});

describe('nesting', () => {
  const nest = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;
  test('of 256 levels is taken, and not one more', () => {
    expect(again(nest(256))).toBe(nest(256));
    expect(faultOf(`[${nest(256)}]`)).toEqual({
      kind: 'depth',
      message: expect.stringMatching(/^The JSON is nested more than 256 levels deep, at byte \d+\.$/),
    });
  });

  test('can be measured on what was read by others', () => {
    const value: unknown = JSON.parse(nest(20_000));
    expect([isNestedDeeper(value, 256), isNestedDeeper(JSON.parse(nest(256)), 256), isNestedDeeper(1, 0)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(isNestedDeeper(JSON.parse(nest(256)), 255)).toBe(true);
  });

  test('of millions is a fault, not a broken stack', () => {
    for (const open of ['[', '{"a":', '[1.0,']) expect(faultOf(open.repeat(1_000_000)).kind).toBe('depth');
  });
});

test.each([
  ['', 'ends too early, at byte 0'],
  ['  ', 'ends too early, at byte 2'],
  ['{"a":', 'ends too early, at byte 5'],
  ['"ö', 'ends too early, at byte 3'],
  ['{"a":1,}', 'wrong at byte 7'],
  ['[1 2]', 'wrong at byte 3'],
  ['[1,]', 'wrong at byte 3'],
  ['{a:1}', 'wrong at byte 1'],
  ['{"a" 1}', 'wrong at byte 5'],
  ['[01]', 'wrong at byte 2'],
  ['[+1]', 'wrong at byte 1'],
  ['NaN', 'wrong at byte 0'],
  ['nul', 'wrong at byte 0'],
  ['"\\x"', 'wrong at byte 1'],
  ['"a\tb"', 'wrong at byte 2'],
  ['{} x', 'wrong at byte 3'],
  ['\u00a01', 'wrong at byte 0'],
])('%j is no JSON', (text, where) => {
  expect(faultOf(text)).toEqual({ kind: 'syntax', message: expect.stringContaining(where) });
});

test('surrogates without their other half stay as they are', () => {
  expect(again('{"\\ud800":"\\udc00"}')).toBe('{"\\ud800":"\\udc00"}');
});
