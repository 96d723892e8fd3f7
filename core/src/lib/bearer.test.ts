import { expect, test } from 'vitest';
import { bearerIn } from './bearer.ts';

test.each([
  [undefined, undefined],
  ['Bearer peta_x', 'peta_x'],
  ['bearer  peta_x ', 'peta_x'],
  ['Bearer', ''],
  ['Bearer ', ''],
  ['', ''],
  ['Basic dXNlcjpwYXNz', ''],
  ['Bearer a b', ''],
  ['peta_x', ''],
])('%s carries %s', (header, token) => expect(bearerIn(header)).toBe(token));
