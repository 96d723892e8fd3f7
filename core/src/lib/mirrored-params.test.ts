import { expect, test } from 'vitest';
import { mirroredParams, valueAt } from './mirrored-params.ts';

const object = (properties: object, more = {}) => ({ type: 'object', properties, ...more });
const marked = (header: unknown, type: unknown = 'string') => ({ type, 'x-mcp-header': header });

test('marked parameters are found at any depth of properties, others are not', () => {
  const schema = object({
    region: marked('Region'),
    query: { type: 'string', description: 'x-mcp-header' },
    where: object({ zone: marked('Zone', 'integer'), 'x-mcp-header': { type: 'string' } }),
    dry: marked('Dry-Run', 'boolean'),
  });
  expect(mirroredParams(schema)).toEqual({
    params: [
      { header: 'Mcp-Param-Region', path: ['region'] },
      { header: 'Mcp-Param-Zone', path: ['where', 'zone'] },
      { header: 'Mcp-Param-Dry-Run', path: ['dry'] },
    ],
  });
});

test.each([
  ['an empty name', object({ a: marked('') }), 'no name'],
  ['a name that is no text', object({ a: marked(7) }), 'no name'],
  ['a space', object({ a: marked('My Region') }), 'no name'],
  ['a colon', object({ a: marked('Region:Primary') }), 'no name'],
  ['a letter outside ASCII', object({ a: marked('Région') }), 'no name'],
  ['a control character', object({ a: marked('Region\t1') }), 'no name'],
  ['a line break', object({ a: marked('Region\r\nX: y') }), 'no name'],
  ['an object', object({ a: marked('A', 'object') }), 'other than a string'],
  ['an array', object({ a: marked('A', 'array') }), 'other than a string'],
  ['null', object({ a: marked('A', 'null') }), 'other than a string'],
  ['a number', object({ a: marked('A', 'number') }), 'other than a string'],
  ['no type', object({ a: { 'x-mcp-header': 'A' } }), 'other than a string'],
  ['the same name twice', object({ a: marked('A'), b: marked('A') }), 'twice'],
  ['the same name in other case', object({ a: marked('MyField'), b: marked('myfield') }), 'twice'],
  ['the root', { ...object({}), 'x-mcp-header': 'A' }, 'no chain of properties'],
  ['items', object({ a: { type: 'array', items: marked('A') } }), 'no chain of properties'],
  ['properties of items', object({ a: { type: 'array', items: object({ b: marked('B') }) } }), 'no chain'],
  ['a list of items', object({ a: { prefixItems: [{}, marked('A')] } }), 'no chain of properties'],
  ['a choice', object({}, { anyOf: [object({ a: marked('A') })] }), 'no chain of properties'],
  ['a condition', object({}, { if: object({ a: marked('A') }) }), 'no chain of properties'],
  ['a definition', object({}, { $defs: { a: marked('A') } }), 'no chain of properties'],
])('a tool whose mark is on %s is not to be used', (_what, schema, words) => {
  expect(mirroredParams(schema)).toEqual({ fault: expect.stringContaining(words) });
});

test('values in a schema are no schema', () => {
  const schema = object({ a: { type: 'object', default: marked(''), examples: [marked('')] } });
  expect(mirroredParams(schema)).toEqual({ params: [] });
});

test('no schema, a boolean one and one without end are borne', () => {
  const endless: Record<string, unknown> = {};
  endless.properties = { again: endless };
  for (const schema of [undefined, true, null, [], { properties: [] }, endless])
    expect(mirroredParams(schema)).toEqual({ params: [] });
});

test('a value is read at its exact path', () => {
  expect(valueAt({ a: { b: 1 } }, ['a', 'b'])).toBe(1);
  expect(valueAt({ a: { b: null } }, ['a', 'b'])).toBeNull();
  expect(valueAt({ a: 'text' }, ['a', 'length'])).toBeUndefined();
  expect(valueAt({}, ['constructor', 'name'])).toBeUndefined();
  expect(valueAt(undefined, ['a'])).toBeUndefined();
});
