import { expect, test } from 'vitest';
import { exposedUri, parseExposedName, parseExposedUri, safeName } from './names.ts';

const SAFE = /^[A-Za-z0-9_-]{1,64}$/;

test.each([
  ['github', 'merge_pull_request', 'github__merge_pull_request'],
  ['a', '_b', 'a___b'],
])('%s and %s are shown as %s', (serverId, name, shown) => {
  expect(safeName(serverId, name)).toBe(shown);
});

test.each([
  ['dots.in.id', 'tool'],
  ['server', 'name with spaces'],
  ['server', 'ünïcödé'],
  ['server', 'x'.repeat(200)],
  ['a__b', 'c'],
  ['a_', 'b'],
])('%s and %s fit every client and stay the same', (serverId, name) => {
  expect(safeName(serverId, name)).toMatch(SAFE);
  expect(safeName(serverId, name)).toBe(safeName(serverId, name));
});

test('names that could be read in two ways differ', () => {
  const pairs: [string, string][] = [
    ['a__b', 'c'],
    ['a', 'b__c'],
    ['a_', '_c'],
    ['a', '__c'],
    ['a_', 'c'],
    ['a', '_c'],
    ['s', 'x y'],
    ['s', 'x_y'],
    ['s', `${'x'.repeat(100)}1`],
    ['s', `${'x'.repeat(100)}2`],
  ];
  expect(new Set(pairs.map(([s, n]) => safeName(s, n))).size).toBe(pairs.length);
});

test.each([
  ['files', 'file:///tmp/a b'],
  ['everything', 'demo://resource/{id}'],
  ['9lives', 'file:///x'],
  ['under_score', 'a::b'],
  ['app', 'ui://panel/main.html'],
])('the URI of %s %s is a URI and leads back', (serverId, uri) => {
  const exposed = exposedUri(serverId, uri);
  expect(URL.canParse(exposed.replace(/[{}]/g, 'x'))).toBe(true);
  expect(parseExposedUri(exposed)).toEqual({ serverId, uri });
});

test('a URI without a server leads nowhere', () => {
  expect(parseExposedUri('file:///etc/passwd')).toBeUndefined();
  expect(parseExposedUri('ui://panel')).toBeUndefined();
});

test('a name is taken apart only by the server it belongs to', () => {
  expect(parseExposedName('files__read', 'files')).toBe('read');
  expect(parseExposedName('files::read', 'files')).toBe('read');
  expect(parseExposedName('files__', 'files')).toBeUndefined();
  expect(parseExposedName('other__read', 'files')).toBeUndefined();
});
