import { expect, test } from 'vitest';
import type { JsonObject } from '#call';
import { readJson } from '#lib/json';
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
  'passwordHash',
  'password1',
  'tokenValue',
  'access_tokens',
  'SIGNING-KEY',
  'jwt',
])('the value under %s is not written down', (key) => {
  expect(JSON.stringify(redact({ nested: [{ [key]: 'hunter2', [`${key}_`]: { deep: 1 } }] }))).not.toContain('hunter2');
});

test.each([
  'peta_0123456789012345678901234567890123456789012',
  'petamachine_0123456789012345678901234567890123456789012',
  'petasetup_0123456789012345678901234567890123456789012',
  'glpat-0123456789abcdefghij',
  'AIzaSyA0123456789012345678901234567890',
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
  expect(redactSentence('redis://:hunter2@db/0')).not.toContain('hunter2');
});

test('ordinary arguments are written down as they are', () => {
  const args = {
    path: '/tmp/a',
    count: 3,
    flags: [true, null],
    tokens: 500,
    maxNewTokens: 5,
    tokenId: 't',
    author: 'ada',
    bypass: 'x',
  };
  expect(redact(args)).toEqual(args);
});

test('a number that JavaScript would round is written down with its digits', () => {
  const given = readJson('{"big":12345678901234567890,"password":1.0,"max_tokens":1e3}') as JsonObject;
  expect(redact(given)).toEqual({ big: '12345678901234567890', password: '[redacted]', max_tokens: '1e3' });
});

test('what is written down is bounded', () => {
  let deep: Record<string, never> | object = {};
  for (let i = 0; i < 1000; i += 1) deep = { deep };
  expect(JSON.stringify(redact({ deep, long: 'x'.repeat(1e6) } as never)).length).toBeLessThan(5_000);
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, 'x'.repeat(500)]));
  const cut = JSON.stringify(redact(wide));
  expect(cut.length).toBeLessThan(20_000);
  expect(cut).toContain('k0');
  expect(cut).toContain('10000 entries');
  expect(JSON.stringify(redact({ list: Array.from({ length: 10_000 }, () => 'y'.repeat(500)) }))).toContain(
    '10000 items',
  );
});

test.each(['a.', 'eyJ-', 'eyJaaaaaaaa.', '-----BEGIN A', 'a://b:', 'Bearer ', 'peta_'])(
  'arguments made of "%s" cost milliseconds, not seconds',
  (part) => {
    const text = part.repeat(4_000 / part.length);
    const hostile = { lists: Array.from({ length: 200 }, () => Array.from({ length: 5 }, () => text)) };
    const started = performance.now();
    redact(hostile);
    redactSentence(text);
    expect(performance.now() - started).toBeLessThan(200);
  },
);
