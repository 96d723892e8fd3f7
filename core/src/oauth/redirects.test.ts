import { describe, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { createRedirectRules, formTargetOf, isRegistered, placeOf } from './redirects.ts';

const { refusal } = createRedirectRules(readConfig({}).PETA_OAUTH_REDIRECT_PATTERNS);

describe('a client may register', () => {
  test.each([
    'http://127.0.0.1:4711/callback',
    'http://localhost/callback',
    'http://[::1]:80/cb?x=1',
    'https://claude.ai/api/mcp/auth_callback',
    'https://vscode.dev/redirect',
    'cursor://anysphere.cursor-retrieval/oauth/callback',
    'vscode://vscode.github-authentication/did-authenticate',
    'com.openai.chat:/callback',
  ])('%s', (uri) => expect(refusal(uri)).toBeUndefined());
});

describe('a client may not register', () => {
  test.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'vbscript:x',
    'http://evil.example/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://localhost.evil.example/callback',
    'http://localhost@evil.example/callback',
    'https://good.example@evil.example/callback',
    'https://@evil.example/',
    'https://good.example/callback#fragment',
    'https://good.example/callback#',
    'https://*.example/callback',
    'https://good.example/*',
    'https://good.example/a/../callback',
    'https://good.example/a/%2e%2e/callback',
    'https://good.example\\@evil.example/',
    'https://good.example/\ncallback',
    ' https://good.example/',
    'evil://callback',
    '//evil.example/callback',
    '/callback',
    '',
    `https://good.example/${'a'.repeat(3000)}`,
  ])('%s', (uri) => expect(refusal(uri)).toMatch(/^The redirect URI /));
});

test('patterns are what the settings say', () => {
  const rules = createRedirectRules(['https://app.example/cb', 'https://a.example/*']);
  expect(rules.refusal('https://app.example/cb')).toBeUndefined();
  expect(rules.refusal('https://a.example/x/y')).toBeUndefined();
  for (const uri of ['https://app.example/cb2', 'https://a.example.evil/x', 'http://localhost/cb', 'cursor://x'])
    expect(rules.refusal(uri), uri).toContain('PETA_OAUTH_REDIRECT_PATTERNS');
});

test('an answer goes exactly where it was registered, on this machine to any port', () => {
  const registered = ['http://127.0.0.1:1/cb', 'https://a.example/cb?x=1'];
  for (const same of ['http://127.0.0.1:1/cb', 'http://127.0.0.1:65535/cb', 'http://127.0.0.1/cb', registered[1] ?? ''])
    expect(isRegistered(same, registered), same).toBe(true);
  for (const other of [
    'http://127.0.0.1:1/cb/',
    'http://127.0.0.1:1/cb?x',
    'http://127.0.0.1:1/other',
    'http://localhost:1/cb',
    'http://user@127.0.0.1:1/cb',
    'http://127.0.0.1:1/x/../cb',
    'https://127.0.0.1/cb',
    'https://a.example/cb',
    'https://a.example:444/cb?x=1',
    'https://a.example/cb?x=1&y',
  ])
    expect(isRegistered(other, registered), other).toBe(false);
});

test('people are told where answers go', () => {
  expect(placeOf('http://localhost:1/x')).toBe('a program on this computer');
  expect(placeOf('https://a.example/cb')).toBe('a.example');
  expect(placeOf('cursor://x/y')).toBe('the application that opens cursor: links');
  expect(formTargetOf('cursor://x/y')).toBe('cursor:');
  expect(formTargetOf('http://127.0.0.1:4/x')).toBe('http://127.0.0.1:4');
});
