import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { keyFor, openText, sealText } from './sealed.ts';

const key = keyFor(randomBytes(32), 'a test');

test('what is sealed opens with the same key for the same place, and tells nothing till then', () => {
  const sealed = sealText(key, 'a secret', 'here');
  expect(openText(key, sealed, 'here')).toBe('a secret');
  expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('secret');
  expect(sealText(key, 'a secret', 'here')).not.toBe(sealed);
});

test('with another key, for another place, or changed in any byte it does not open', () => {
  const sealed = sealText(key, 'a secret', 'here');
  expect(openText(keyFor(randomBytes(32), 'a test'), sealed, 'here')).toBeUndefined();
  expect(openText(key, sealed, 'there')).toBeUndefined();
  for (let at = 0; at < Buffer.from(sealed, 'base64url').length; at += 1) {
    const bytes = Buffer.from(sealed, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    expect(openText(key, bytes.toString('base64url'), 'here')).toBeUndefined();
  }
  for (const broken of ['', 'x', 'AAAA', sealed.slice(0, 20)]) expect(openText(key, broken, 'here')).toBeUndefined();
});

test('keys for different purposes differ', () => {
  const secret = randomBytes(32);
  expect(keyFor(secret, 'one').equals(keyFor(secret, 'other'))).toBe(false);
});
