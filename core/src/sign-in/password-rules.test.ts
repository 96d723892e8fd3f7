import { expect, test } from 'vitest';
import { faultOf } from './password-rules.ts';

const ada = { userId: 'ada.l', name: 'Ada Lovelace', email: 'countess@lovelace.example' };

test.each([
  'orbit lantern 42 pebble',
  'tz8-Kd93,lwQ',
  'a sentence about ada that is long enough',
  'пароль из нескольких слов',
])('is taken: %s', (password) => expect(faultOf(password, ada)).toBeUndefined());

test.each([
  ['eleven char', /at least 12 characters/],
  ['', /at least 12/],
  ['x'.repeat(257), /at most 256/],
  ['password1234', /tried first/],
  ['Password!2026', /tried first/],
  ['P@ssw0rd2026!', /tried first/],
  ['qwertyuiop12', /tried first/],
  ['iloveyou1234', /tried first/],
  ['123456789012', /tried first/],
  ['111111111111', /tried first/],
  ['abcdefghijkl', /tried first/],
  ['abcabcabcabc', /tried first/],
  ['administrator', /tried first/],
  ['20261121112026', /tried first/],
  ['AdaLovelace1815', /your own name/],
  ['ada.l-ada.l-ada.l', /your own name/],
  ['countess@lovelace.example', /your own name/],
  ['countess2026!!', /your own name/],
])('is not taken: %s', (password, reason) => expect(faultOf(password, ada)).toMatch(reason));
