import { expect, test } from 'vitest';
import { safeNext } from './next-path.ts';

test.each([
  '/account',
  '/oauth/interaction/abc?x=1#y',
  '/a//b',
  '/sign-in?next=%2F',
  '/%2f%2fevil.example',
  '/@evil.example',
])('a path of this host is kept: %s', (path) => expect(safeNext(path)).toBe(path));

test.each([
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\\/evil.example',
  'https:evil.example',
  'https://evil.example',
  'http:/evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  '%2f%2fevil.example',
  '%2F%2Fevil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/a/../..//evil.example',
  '/%2e%2e//evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  ' //evil.example',
  '\t//evil.example',
  'evil.example',
  '@evil.example',
  '?next=//evil.example',
  '',
  `/${'a'.repeat(3_000)}`,
  undefined,
  ['/account'],
])('anything else leads home: %j', (path) => expect(safeNext(path)).toBe('/account'));
