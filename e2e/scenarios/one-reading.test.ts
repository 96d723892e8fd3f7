import type { Client } from '@peta/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixture, registerFixture } from '../harness/fixtures.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { initialize, post, VERSION_META } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
let token: string;
let session: string;

beforeAll(async () => {
  peta = await startPeta();
  ({ api, token } = await becomeOwner(peta));
  await registerFixture(api, 'exact', fixture('exact'));
  session = await initialize(peta.mcpUrl, token);
});
afterAll(cleanUp);

type Refusal = { error: { code: number; message: string } };
const stateless = (method: string, name?: string) => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
  ...(name !== undefined && { 'mcp-name': name }),
});
const META = JSON.stringify(VERSION_META);
const message = (method: string, params: string, id = '1') =>
  `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`;

/** Sends the same call in both eras; `start` is what its parameters begin with. */
const inBothEras = (start: string, id?: string, meta = META, legacyMeta = '{}') =>
  Promise.all([
    post(peta.mcpUrl, message('tools/call', `${start},"_meta":${meta}}`, id), {
      token,
      headers: stateless('tools/call', 'exact__digits'),
    }),
    post(peta.mcpUrl, message('tools/call', `${start},"_meta":${legacyMeta}}`, id), {
      token,
      headers: { 'mcp-session-id': session },
    }),
  ]);

test.each([
  ['a name twice', '{"name":"exact__digits","name":"exact__twice"', 'The key "name" occurs twice'],
  ['a name twice, once escaped', '{"name":"exact__digits","n\\u0061me":"exact__twice"', 'The key "name" occurs twice'],
  ['an argument twice', '{"name":"exact__digits","arguments":{"list":[{"x":1,"x":2}]}', 'The key "x" occurs twice'],
  ['a name in another case', '{"name":"exact__digits","Name":"x"', '"params.Name" must be written "params.name"'],
  ['odd arguments', '{"name":"exact__digits","ARGUMENTS":{}', '"params.ARGUMENTS" must be written "params.arguments"'],
  ['an odd state', '{"name":"exact__digits","requeststate":"x"', '"params.requestState"'],
])('what another server could read differently is refused in both eras: %s', async (_what, start, sentence) => {
  for (const { status, json } of await inBothEras(start)) {
    expect([status, (json as Refusal).error.code]).toEqual([400, -32600]);
    expect((json as Refusal).error.message).toContain(sentence);
  }
});

test.each([
  ['a method twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}'],
  ['a method in another case', '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/list"}'],
  ['a fractional id', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'],
  ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
  ['a batch', `[${message('tools/list', `{"_meta":${META}}`)}]`],
])('%s is refused in both eras', async (_what, body) => {
  for (const headers of [stateless('ping'), { 'mcp-session-id': session }]) {
    const { status, json } = await post(peta.mcpUrl, body, { token, headers });
    expect([status, (json as Refusal).error.code]).toEqual([400, -32600]);
  }
});

test('numbers that JavaScript would round reach the server and come back as they were, ids and tokens too', async () => {
  const id = '123456789012345678901';
  const progressToken = '10000000000000000001';
  const args = '{"n":98765432109876543210,"one":1.0,"exponent":1e3,"long":0.1000000000000000055,"minus":-0}';
  const answers = await inBothEras(
    `{"name":"exact__digits","arguments":${args}`,
    id,
    `${META.slice(0, -1)},"progressToken":${progressToken}}`,
    `{"progressToken":${progressToken}}`,
  );
  for (const { status, text } of answers) {
    expect(status).toBe(200);
    expect(text).toContain(`"id":${id}`);
    expect(text).toContain(`\\"arguments\\":${JSON.stringify(args).slice(1, -1)}`);
    expect(text).toContain('"n":98765432109876543210,"deep":[{"n":98765432109876543210}]');
    expect(text).toContain(`"progressToken":${progressToken}`);
    expect(text).toContain('"progress":0.50,"total":1.0');
  }
});

test('the record of a call holds the digits it came with', async () => {
  await inBothEras('{"name":"exact__digits","arguments":{"n":11112222333344445555}', '11112222333344445556');
  await until('the calls are recorded', async () => {
    const text = JSON.stringify(await api.audit.list({}));
    return text.includes('"11112222333344445555"') && text.includes('"11112222333344445556"');
  });
});
