import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Client } from '@peta/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { textOf } from '../harness/clients.ts';
import { fixture } from '../harness/fixtures.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';

let peta: RunningPeta;
let api: Client;
let token: string;

beforeAll(async () => {
  peta = await startPeta();
  ({ api, token } = await becomeOwner(peta));
  await api.servers.create({ serverId: 'fast', launchConfig: fixture('fast', '--stdio') });
  await api.servers.create({ serverId: 'changing', launchConfig: fixture('changing') });
  await api.servers.create({ serverId: 'asks', launchConfig: fixture('conformance', '--stdio', '--era', 'legacy') });
});
afterAll(cleanUp);

const bearer = (one: string) => ({ authorization: `Bearer ${one}` });

/** The official SDK 1.x on the transport of 2024-11-05. */
const connectOld = async (url = `${peta.url}/sse`, bearerToken = token) => {
  const client = new LegacyClient({ name: 'old', version: '1' }, { capabilities: { elicitation: {} } });
  const headers = bearer(bearerToken);
  const transport = new SSEClientTransport(new URL(url), {
    requestInit: { headers },
    eventSourceInit: { fetch: (to, init) => fetch(to, { ...init, headers: { ...init?.headers, ...headers } }) },
  });
  await client.connect(transport);
  return client;
};

test('an old client lists, calls, hears progress and changes, and is asked', async () => {
  const client = await connectOld();
  const told: string[] = [];
  client.fallbackNotificationHandler = async ({ method }) => void told.push(method);
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: { response: 'yes' } }));
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('fast__echo');
  const progress: number[] = [];
  const result = await client.callTool({ name: 'fast__slow', arguments: { ms: 300, steps: 3 } }, undefined, {
    onprogress: (step) => progress.push(step.progress),
  });
  expect([textOf(result), progress]).toEqual(['done', [1, 2, 3]]);
  const asked = await client.callTool({ name: 'asks__test_elicitation', arguments: { message: 'May I?' } });
  expect(textOf(asked)).toContain('yes');
  await client.callTool({ name: 'changing__grow' });
  await until('it is told of the change', async () => told.includes('notifications/tools/list_changed'));
  await client.close();
});

test('its session ends with its stream', async () => {
  const client = await connectOld();
  const sessions = async () =>
    ((await (await fetch(`${peta.url}/health`, { headers: bearer(token) })).json()) as { sessions: { total: number } })
      .sessions.total;
  const before = await sessions();
  await client.close();
  await until('the session is gone', async () => (await sessions()) === before - 1);
});

test('nobody gets in without a token, and nobody posts to the stream of another', async () => {
  expect((await fetch(`${peta.url}/sse`)).status).toBe(401);
  const opened = await fetch(`${peta.url}/sse`, { headers: bearer(token) });
  const reader = opened.body?.getReader();
  const first = new TextDecoder().decode((await reader?.read())?.value);
  const messages = /data: (\S+)/.exec(first)?.[1] ?? '';
  expect(messages).toMatch(/^\/messages\?sessionId=/);
  await api.users.create({ userId: 'eve', name: 'Eve' });
  const { secret } = await api.tokens.issue({ userId: 'eve' });
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
  const headers = { 'content-type': 'application/json' };
  const post = (one: string) =>
    fetch(`${peta.url}${messages}`, { method: 'POST', body, headers: { ...headers, ...bearer(one) } });
  expect((await post(secret)).status).toBe(404);
  expect((await post(token)).status).toBe(202);
  await reader?.cancel();
});
