import { expect, test } from 'vitest';
import type { JsonObject } from '#call';
import { RpcError } from './errors.ts';
import { mirroring } from './mirror.ts';

const tool = (name: string, properties: JsonObject) => ({ name, inputSchema: { type: 'object', properties } });
const marked = (header: string, type = 'string') => ({ type, 'x-mcp-header': header });

/** A server that lists these tools and refuses calls without the header it wants. */
const server = (tools: () => JsonObject[], wantedHeader?: string) => {
  const calls: unknown[] = [];
  const notices: string[] = [];
  const asked: string[] = [];
  const request = mirroring(
    async (method, params, { headers = {} }) => {
      asked.push(method);
      if (method === 'tools/list') return { tools: tools() };
      calls.push(headers);
      if (wantedHeader !== undefined && !(wantedHeader in headers)) throw new RpcError(-32020, 'mismatch', undefined);
      return { method, name: params.name };
    },
    (sentence) => notices.push(sentence),
  );
  const options = { timeoutMs: 100 };
  return {
    calls,
    notices,
    asked,
    list: () => request('tools/list', {}, options),
    call: (args?: JsonObject) => request('tools/call', { name: 't', ...(args && { arguments: args }) }, options),
    read: () => request('resources/read', { uri: 't' }, options),
  };
};

test('a call repeats its marked parameters, encoded, and leaves out what has no value', async () => {
  const { list, call, calls } = server(() => [
    tool('t', {
      region: marked('Region'),
      count: marked('Count', 'integer'),
      dry: marked('Dry', 'boolean'),
      none: marked('None'),
      where: { type: 'object', properties: { zone: marked('Zone') } },
      query: { type: 'string' },
    }),
  ]);
  await list();
  await call({ region: 'Zürich\r\nX: y', count: 42, dry: false, none: null, where: { zone: ' a' }, query: 'q' });
  await call();
  expect(calls).toEqual([
    {
      'Mcp-Param-Region': '=?base64?WsO8cmljaA0KWDogeQ==?=',
      'Mcp-Param-Count': '42',
      'Mcp-Param-Dry': 'false',
      'Mcp-Param-Zone': '=?base64?IGE=?=',
    },
    {},
  ]);
});

test('a tool with an invalid mark is left out and told of; the others stay', async () => {
  const { list, notices } = server(() => [tool('bad', { a: marked('') }), tool('good', { a: marked('A') })]);
  expect((await list()).tools).toEqual([tool('good', { a: marked('A') })]);
  expect(notices).toEqual([expect.stringMatching(/^The tool "bad" is left out/)]);
});

test('a call refused for its headers is sent once more when a new list asks for others', async () => {
  const { call, calls, asked } = server(() => [tool('t', { a: marked('A') })], 'Mcp-Param-A');
  expect(await call({ a: 'x' })).toMatchObject({ name: 't' });
  expect(calls).toEqual([{}, { 'Mcp-Param-A': 'x' }]);
  expect(asked).toEqual(['tools/call', 'tools/list', 'tools/call']);
});

test('a refusal that no new list explains is the answer', async () => {
  const { list, call, calls } = server(() => [tool('t', { a: marked('A') })], 'Mcp-Param-Other');
  await list();
  await expect(call({ a: 'x' })).rejects.toThrow('mismatch');
  expect(calls).toEqual([{ 'Mcp-Param-A': 'x' }]);
});

test('many calls refused at once share one new list', async () => {
  const { call, asked } = server(() => [tool('t', { a: marked('A') })], 'Mcp-Param-A');
  await Promise.all([call({ a: 'x' }), call({ a: 'y' }), call({ a: 'z' })]);
  expect(asked.filter((method) => method === 'tools/list')).toHaveLength(1);
});

test('what was marked in an older list is forgotten', async () => {
  let tools = [tool('t', { a: marked('A') })];
  const { list, call, calls } = server(() => tools);
  await list();
  tools = [tool('t', { a: { type: 'string' } })];
  await list();
  await call({ a: 'x' });
  expect(calls).toEqual([{}]);
});

test('a list for some clients takes nothing from what is known of others, and a new list is for whom the call is', async () => {
  const calls: unknown[] = [];
  const asked: unknown[] = [];
  const request = mirroring(
    async (method, _params, { headers = {}, clientCapabilities = {} }) => {
      if (method === 'tools/list') {
        asked.push(clientCapabilities);
        const ask = tool('ask', { a: marked('A') });
        return { tools: clientCapabilities.elicitation ? [tool('t', { b: marked('B') }), ask] : [tool('t', {})] };
      }
      calls.push(headers);
      if (!('Mcp-Param-A' in headers)) throw new RpcError(-32020, 'mismatch', undefined);
      return {};
    },
    () => {},
  );
  const forms = { timeoutMs: 100, clientCapabilities: { elicitation: {} } };
  const ask = () => request('tools/call', { name: 'ask', arguments: { a: 'x' } }, forms);
  await ask();
  await request('tools/list', {}, { timeoutMs: 100 });
  await ask();
  expect(calls).toEqual([{}, { 'Mcp-Param-A': 'x' }, { 'Mcp-Param-A': 'x' }]);
  expect(asked).toEqual([{ elicitation: {} }, {}]);
});
