import { expect, test } from 'vitest';
import { isAllowedHost, isAllowedOrigin } from './hosts.ts';

const rules = { allowedHosts: ['peta.example.com'], allowedOrigins: ['https://console.example.com'] };

test.each([
  'localhost',
  'localhost:3002',
  '127.0.0.1:3002',
  '[::1]:3002',
  '10.0.0.5',
  'peta.example.com:443',
  'PETA.example.com',
])('the host %s is ours', (host) => expect(isAllowedHost(host, rules)).toBe(true));

test.each([
  undefined,
  '',
  'evil.example',
  'localhost.evil.example',
  'evil.example:3002',
  'a@localhost',
  'localhost:x',
  '127.0.0.1.evil.example',
])('the host %s is foreign', (host) => expect(isAllowedHost(host, rules)).toBe(false));

test.each([
  undefined,
  'http://localhost:6274',
  'http://127.0.0.1',
  'https://console.example.com',
  'https://peta.example.com',
])('the origin %s may call', (origin) => expect(isAllowedOrigin(origin, 'peta.example.com', rules)).toBe(true));

test.each(['null', 'https://evil.example', 'http://localhost.evil.example', 'file://', 'chrome-extension://x', ''])(
  'the origin %s may not',
  (origin) => expect(isAllowedOrigin(origin, 'peta.example.com', rules)).toBe(false),
);
