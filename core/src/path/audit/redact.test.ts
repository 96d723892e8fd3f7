import { expect, test } from 'vitest';
import { redact, redactSentence } from './redact.ts';

test.each([
  'password',
  'PASSWORD',
  'dbPassword',
  'api_key',
  'apiKey',
  'x-api-key',
  'accessToken',
  'client_secret',
  'Authorization',
  'privateKey',
  'credentials',
  'Cookie',
])('the value under %s is not written down', (key) => {
  expect(JSON.stringify(redact({ nested: [{ [key]: 'hunter2', [`${key}_`]: { deep: 1 } }] }))).not.toContain('hunter2');
});

test.each([
  'peta_0123456789012345678901234567890123456789012',
  'ghp_0123456789012345678901234567890123',
  'sk-proj-0123456789abcdef0123',
  'xoxb-1234567890-abcdef',
  'AKIAIOSFODNN7EXAMPLE',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl',
  'Bearer abcdef0123456789',
  '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----',
])('%s is not written down wherever it stands', (secret) => {
  const line = `before ${secret} after`;
  expect(redactSentence(line)).toBe('before [redacted] after');
  expect(JSON.stringify(redact({ text: line, [secret]: 1 }))).not.toContain(secret.slice(0, 24));
});

test('a password in a connection string is not written down', () => {
  expect(redactSentence('postgres://ada:hunter2@db/x')).not.toContain('hunter2');
});

test('ordinary arguments are written down as they are', () => {
  const args = { path: '/tmp/a', count: 3, flags: [true, null], tokens: 500, author: 'ada' };
  expect(redact(args)).toEqual(args);
});

test('what is written down is bounded', () => {
  let deep: Record<string, never> | object = {};
  for (let i = 0; i < 1000; i += 1) deep = { deep };
  expect(JSON.stringify(redact({ deep, long: 'x'.repeat(1e6) } as never)).length).toBeLessThan(5_000);
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, 'x'.repeat(500)]));
  expect(JSON.stringify(redact(wide)).length).toBeLessThan(200);
});
