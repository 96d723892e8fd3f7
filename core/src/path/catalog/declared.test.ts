import { expect, test } from 'vitest';
import type { JsonObject, Listing } from '#call';
import { declaredBy } from './declared.ts';

const declaring = (capabilities?: JsonObject): Listing => ({
  tools: [],
  resources: [],
  templates: [],
  prompts: [],
  ...(capabilities && { capabilities }),
});

test('what one server declares comes through as it is', () => {
  const extensions = { 'a/x': { z: [1, { b: null }], a: 1.5 } };
  const declared = declaredBy([declaring({ tools: {}, extensions }), declaring({ tools: {} })]);
  expect(JSON.stringify(declared)).toBe(JSON.stringify({ extensions }));
});

test('what several declare is joined, and the first has the say', () => {
  const one = declaring({ extensions: { 'a/x': { v: 1 } }, experimental: { e: {} } });
  const other = declaring({ extensions: { 'a/x': { v: 2, w: 3 }, 'b/y': {} }, experimental: { f: {} } });
  expect(declaredBy([one, other])).toEqual({
    extensions: { 'a/x': { v: 1, w: 3 }, 'b/y': {} },
    experimental: { e: {}, f: {} },
  });
});

test('an extension whose methods Peta does not carry is not announced', () => {
  expect(declaredBy([declaring({ extensions: { 'io.modelcontextprotocol/tasks': {} } })])).toEqual({});
});

test('listings that are not known, or were stored before this was kept, declare nothing', () => {
  expect(declaredBy([undefined, declaring()])).toEqual({});
});
