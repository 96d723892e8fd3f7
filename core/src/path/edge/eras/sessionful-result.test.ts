import { expect, test } from 'vitest';
import type { JsonObject } from '#call';
import { readJson } from '#lib/json';
import { forSessionful } from './sessionful-result.ts';

const text = (value: string) => ({ type: 'text', text: value });
const image = { type: 'image', data: '', mimeType: 'image/png' };

test('what only the newer revision knows is left out, and nothing else', () => {
  const _meta = { 'io.modelcontextprotocol/serverInfo': { name: 's' }, 'a/b': 1 };
  const result = { resultType: 'complete', ttlMs: 5, cacheScope: 'public', contents: [], odd: 1, _meta };
  expect(forSessionful(result)).toEqual({ contents: [], odd: 1, _meta: { 'a/b': 1 } });
});

test.each<[string, JsonObject, JsonObject]>([
  ['an object stays', { content: [], structuredContent: { a: [1] } }, { content: [], structuredContent: { a: [1] } }],
  ['an array gives way to its text', { content: [text('[1]')], structuredContent: [1] }, { content: [text('[1]')] }],
  ['null gives way to its text', { content: [text('null')], structuredContent: null }, { content: [text('null')] }],
  [
    'one without text gets it',
    { content: [image], structuredContent: [1, 'a'], isError: false },
    { content: [image, text('[1,"a"]')], isError: false },
  ],
])('structured content for old clients: %s', (_what, result, expected) => {
  expect(forSessionful(result)).toEqual(expected);
});

test('a number told by text keeps its digits', () => {
  const structuredContent = readJson('[90071992547409930001]') as number[];
  expect(forSessionful({ content: [], structuredContent }).content).toEqual([text('[90071992547409930001]')]);
});

test('a schema of an output that is no object is left out, so that the list can be read', () => {
  const fine = { name: 'a', outputSchema: { type: 'object', properties: {} } };
  const odd = { name: 'b', title: 'B', outputSchema: { type: 'array' } };
  const untyped = { name: 'c', outputSchema: { anyOf: [] } };
  expect(forSessionful({ tools: [fine, odd, untyped, { name: 'd' }], nextCursor: 'n' })).toEqual({
    tools: [fine, { name: 'b', title: 'B' }, { name: 'c' }, { name: 'd' }],
    nextCursor: 'n',
  });
});
