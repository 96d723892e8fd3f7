import { expect, test } from 'vitest';
import { createMarked } from './marked.ts';

const inputSchema = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    plain: { type: 'string' },
    deep: { type: 'object', properties: { level: { type: 'integer', 'x-mcp-header': 'Level' } } },
  },
};
const list = { jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'one', inputSchema }, { name: 'bare' }] } };
const call = (name: string, args: unknown) => ({
  jsonrpc: '2.0',
  id: 2,
  method: 'tools/call',
  params: { name, arguments: args },
});

test('a call repeats in headers what its tool marks, as far as it gives it', () => {
  const marked = createMarked((text) => `<${text}>`);
  marked.learn(list);
  expect(marked.headersFor(call('one', { region: 'eu', plain: 'x', deep: { level: 3 } }))).toEqual({
    'mcp-param-Region': '<eu>',
    'mcp-param-Level': '<3>',
  });
  expect(marked.headersFor(call('one', { region: null, deep: 'x' }))).toEqual({});
  expect(marked.headersFor(call('one', undefined))).toEqual({});
});

test('other tools, other methods and lists that are none give no headers', () => {
  const marked = createMarked((text) => text);
  for (const result of [undefined, {}, { tools: 'x' }, { tools: [{ name: 'odd', inputSchema: 7 }, 3] }])
    marked.learn({ result });
  marked.learn(list);
  expect(marked.headersFor(call('bare', { region: 'eu' }))).toEqual({});
  expect(marked.headersFor(call('unknown', { region: 'eu' }))).toEqual({});
  expect(marked.headersFor({ ...call('one', { region: 'eu' }), method: 'prompts/get' })).toEqual({});
});
