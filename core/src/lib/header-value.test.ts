import { expect, test } from 'vitest';
import { carries, decodeHeader, encodeHeader, isCarried } from './header-value.ts';

test.each([
  ['us-west1', 'us-west1'],
  ['us west 1', 'us west 1'],
  ['', ''],
  ['=?base64?', '=?base64?'],
  ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['line1\r\nMcp-Name: other', '=?base64?bGluZTENCk1jcC1OYW1lOiBvdGhlcg==?='],
  ['a\tb', '=?base64?YQli?='],
  ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
])('%j travels as %j and comes back', (text, header) => {
  expect(encodeHeader(text)).toBe(header);
  expect(decodeHeader(header)).toBe(text);
});

test.each([
  ['padding that is missing', '=?base64?SGVsbG8?='],
  ['characters outside the alphabet', '=?base64?SGVs!!!bG8=?='],
  ['bytes that are no UTF-8', '=?base64?/w==?='],
  ['characters outside ASCII', 'Hällo'],
  ['a control character', 'a\u0001b'],
])('a header with %s says nothing', (_what, header) => {
  expect(decodeHeader(header)).toBeUndefined();
});

test('half of the Base64 form is text like any other', () => {
  expect(decodeHeader('SGVsbG8=')).toBe('SGVsbG8=');
  expect(decodeHeader('=?base64?SGVsbG8=')).toBe('=?base64?SGVsbG8=');
  expect(decodeHeader('=?base64?=')).toBe('=?base64?=');
  expect(decodeHeader(' \tspaced ')).toBe('spaced');
});

test.each([
  ['42', 42, true],
  ['42.0', 42, true],
  ['=?base64?NDI=?=', 42, true],
  ['43', 42, false],
  ['', 0, false],
  ['0x2a', 42, false],
  ['-7', -7, true],
  ['true', true, true],
  ['True', true, false],
  ['false', false, true],
  ['us-west1', 'us-west1', true],
  ['US-WEST1', 'us-west1', false],
  ['', '', true],
])('the header %j beside the value %j: %s', (header, value, isSame) => {
  expect(carries(header, value)).toBe(isSame);
});

test('what has no one spelling is not carried', () => {
  for (const value of [null, undefined, {}, [], Number.NaN, 2 ** 60]) expect(isCarried(value)).toBe(false);
  for (const value of ['', 0, false, -(2 ** 53) + 1]) expect(isCarried(value)).toBe(true);
});
