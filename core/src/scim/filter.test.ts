import { describe, expect, test } from 'vitest';
import { ScimError } from './errors.ts';
import { parseFilter, parsePath } from './filter.ts';

const compare = (path: string, operator: string, value: unknown) => ({ kind: 'compare', path, operator, value });

test('not binds closest, then and, then or (RFC 7644, table 5)', () => {
  expect(parseFilter('a eq 1 or b eq "x" and not (c pr) or d eq null')).toEqual({
    kind: 'any',
    of: [
      compare('a', 'eq', 1),
      { kind: 'all', of: [compare('b', 'eq', 'x'), { kind: 'not', of: { kind: 'present', path: 'c' } }] },
      compare('d', 'eq', null),
    ],
  });
  expect(parseFilter('(a eq 1 or b eq 2) and c eq TRUE')).toEqual({
    kind: 'all',
    of: [{ kind: 'any', of: [compare('a', 'eq', 1), compare('b', 'eq', 2)] }, compare('c', 'eq', true)],
  });
});

test.each([
  'userName eq "bjensen"',
  'name.familyName co "O\'Malley"',
  'userName sw "J"',
  'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"',
  'title pr',
  'meta.lastModified gt "2011-05-13T04:42:34Z"',
  'meta.lastModified ge "2011-05-13T04:42:34Z"',
  'meta.lastModified lt "2011-05-13T04:42:34Z"',
  'meta.lastModified le "2011-05-13T04:42:34Z"',
  'title pr and userType eq "Employee"',
  'title pr or userType eq "Intern"',
  'schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"',
  'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")',
  'userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")',
  'userType eq "Employee" and (emails.type eq "work")',
  'userType eq "Employee" and emails[type eq "work" and value co "@example.com"]',
  'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
])('the RFC’s own example %s is read', (text) => {
  expect(parseFilter(text)).toBeTypeOf('object');
});

test('what stands in quotes may hold quotes, brackets and words of the language', () => {
  expect(parseFilter('displayName eq "say \\"hi\\" and (not) ] \\u00e9"')).toEqual(
    compare('displayName', 'eq', 'say "hi" and (not) ] é'),
  );
});

test('Entra ID may compare a part of the value that brackets select', () => {
  expect(parseFilter('emails[type eq "work"].value EQ "a@b.c"')).toEqual({
    kind: 'has',
    path: 'emails',
    of: { kind: 'all', of: [compare('type', 'eq', 'work'), compare('value', 'eq', 'a@b.c')] },
  });
});

describe('what is no filter is refused in a sentence', () => {
  test.each([
    '',
    ' ',
    'userName',
    'userName eq',
    'userName eq bjensen',
    'userName is "x"',
    'userName eq "x" userName eq "y"',
    'userName eq "x" and',
    'and userName pr',
    '(userName pr',
    'userName pr)',
    'emails[type eq "work"',
    'emails[] pr',
    'userName eq "open',
    'userName eq "\\x"',
    'userName eq "\u0000"',
    'userName eq "\\u0000"',
    'userName eq "\\ud800"',
    'a eq 1e999',
    `${'('.repeat(5_000)}a pr${')'.repeat(5_000)}`,
    `${'('.repeat(20)}a pr${')'.repeat(20)}`,
    `${'not ('.repeat(20)}a pr${')'.repeat(20)}`,
    Array(200).fill('a pr').join(' or '),
    `a eq "${'x'.repeat(5_000)}"`,
  ])('%#', (text) => {
    try {
      parseFilter(text);
      expect.fail('it was read');
    } catch (error) {
      expect(error).toBeInstanceOf(ScimError);
      expect(error).toMatchObject({ status: 400, scimType: 'invalidFilter' });
    }
  });
});

test('a filter made to take long does not', () => {
  const began = performance.now();
  parseFilter(`${Array(49).fill('(a eq 1 or b eq 2)').join(' and ')} and c eq 3`);
  for (const text of [`${'a'.repeat(4_000)}"`, `"${'\\'.repeat(4_000)}`, `${'1'.repeat(4_000)}x`, ' '.repeat(4_000)])
    expect(() => parseFilter(text)).toThrow(ScimError);
  expect(performance.now() - began).toBeLessThan(200);
});

test('the path of a PATCH operation may select values and a part of them', () => {
  expect(parsePath('members')).toEqual({ path: 'members' });
  expect(parsePath('name.familyName')).toEqual({ path: 'name.familyName' });
  expect(parsePath('addresses[type eq "work"]')).toEqual({ path: 'addresses', filter: compare('type', 'eq', 'work') });
  expect(parsePath('members[value eq "2819c223"].displayName')).toEqual({
    path: 'members',
    filter: compare('value', 'eq', '2819c223'),
    sub: 'displayName',
  });
  for (const text of ['', 'a b', 'a[b eq "c"', 'a[b eq "c"].d.e', 'a[b eq "c"]d', '__proto__', 'a..b]', '1'])
    expect(() => parsePath(text), text).toThrow(expect.objectContaining({ scimType: 'invalidPath' }));
});
