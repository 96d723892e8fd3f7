/** What the conformance suite does not ask of its server, in each era and over each transport. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, LOG_LEVEL_META_KEY, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const SERVER = join(import.meta.dirname, 'conformance.ts');
const VERSIONS = { legacy: '2025-11-25', modern: '2026-07-28' } as const;
type Era = keyof typeof VERSIONS;
type Transport = 'http' | 'stdio';

let server: ChildProcess;
let url: string;
const open: { close: () => Promise<void> }[] = [];

beforeAll(async () => {
  server = spawn(process.execPath, [SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (!server.stdout) throw new Error('no standard output');
  [url] = await once(createInterface(server.stdout), 'line');
});
afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
});
afterAll(() => server.kill());

const connect = async (era: Era, transport: Transport) => {
  const told: { method: string; params?: unknown }[] = [];
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    {
      capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
      versionNegotiation: { mode: era === 'legacy' ? 'legacy' : { pin: VERSIONS.modern } },
    },
  );
  client.setRequestHandler('elicitation/create', async ({ params }) =>
    params.mode === 'url' ? { action: 'accept' } : { action: 'accept', content: fill(params) },
  );
  client.setRequestHandler('sampling/createMessage', async ({ params }) => ({
    role: 'assistant',
    model: 'none',
    content: { type: 'text', text: `to ${JSON.stringify(params.messages[0]?.content)}` },
  }));
  client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///a', name: 'a' }] }));
  client.fallbackNotificationHandler = async (notification) => void told.push(notification);
  await client.connect(
    transport === 'http'
      ? new StreamableHTTPClientTransport(new URL(url))
      : new StdioClientTransport({ command: process.execPath, args: [SERVER, '--stdio'] }),
  );
  open.push(client);
  return { client, told };
};

/** Fills each field with the question itself. */
const fill = ({ message, requestedSchema }: { message: string; requestedSchema: { properties: object } }) =>
  Object.fromEntries(Object.keys(requestedSchema.properties).map((key) => [key, message]));

const both: [Era, Transport][] = [
  ['legacy', 'http'],
  ['modern', 'http'],
  ['legacy', 'stdio'],
  ['modern', 'stdio'],
];

describe.each(both)('%s over %s', (era, transport) => {
  test('each kind of question is asked and answered', async () => {
    const { client, told } = await connect(era, transport);
    const ask = async (name: string, args = {}) => (await client.callTool({ name, arguments: args })).structuredContent;
    expect(await ask('ask_roots')).toEqual({ roots: [{ uri: 'file:///a', name: 'a' }] });
    expect(await ask('ask_url', { url: 'https://example.org/' })).toMatchObject({ action: 'accept' });
    expect(await ask('ask_all')).toEqual({
      user: { action: 'accept', content: { name: 'What is your name?' } },
      model: expect.stringContaining('Greet'),
      roots: [{ uri: 'file:///a', name: 'a' }],
    });
    const { contents } = await client.readResource({ uri: 'test://asking' });
    expect(contents).toMatchObject([{ text: 'Why?' }]);
    const prompt = await client.getPrompt({ name: 'test_input_required_result_prompt' });
    expect(prompt.messages).toHaveLength(1);
    const completed = told.filter(({ method }) => method === 'notifications/elicitation/complete');
    expect(completed).toHaveLength(era === 'legacy' ? 1 : 0);
  });

  test('a page that is needed first is an error in the old era and a question in the new one', async () => {
    const { client } = await connect(era, transport);
    const called = client.callTool({ name: 'need_url', arguments: { url: 'https://example.org/' } });
    if (era === 'legacy') await expect(called).rejects.toMatchObject({ code: -32042 });
    else expect((await called).structuredContent).toMatchObject({ action: 'accept' });
  });

  test('a marked call carries its marker everywhere', async () => {
    const { client, told } = await connect(era, transport);
    const steps: unknown[] = [];
    const result = await client.callTool(
      { name: 'marked', arguments: { marker: 'm1' }, _meta: { [LOG_LEVEL_META_KEY]: 'info' } },
      { onprogress: (step) => void steps.push(step) },
    );
    expect(result.structuredContent).toEqual({
      marker: 'm1',
      asked: 'm1',
      action: 'accept',
      content: { answer: 'm1' },
    });
    expect(steps[0]).toEqual({ progress: 1, total: 2, message: 'm1' });
    expect(told).toMatchObject([{ method: 'notifications/message', params: { level: 'info', data: 'm1' } }]);
  });

  test('log lines come in order, as many as asked for and only those of the level', async () => {
    const { client, told } = await connect(era, transport);
    if (era === 'legacy') await client.setLoggingLevel('info');
    const lines = (level: string) =>
      client.callTool({
        name: 'log_lines',
        arguments: { n: 30, marker: 'm2', level },
        _meta: { [LOG_LEVEL_META_KEY]: 'info' },
      });
    await lines('debug');
    await lines('info');
    const data = Array.from({ length: 30 }, (_, at) => ({ marker: 'm2', line: at + 1 }));
    await expect.poll(() => told.map(({ params }) => (params as { data: unknown }).data)).toEqual(data);
  });

  test('what grows and what is touched is told to those who asked', async () => {
    const { client, told } = await connect(era, transport);
    const uri = 'test://watched-resource';
    if (era === 'legacy') await client.subscribeResource({ uri });
    else await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] });
    const before = (await client.listTools()).tools.length;
    await client.callTool({ name: 'touch', arguments: { uri: 'test://static-text' } });
    await client.callTool({ name: 'touch', arguments: { uri } });
    await client.callTool({ name: 'grow' });
    const methods = () => told.map(({ method }) => method);
    await expect.poll(methods).toEqual(['notifications/resources/updated', 'notifications/tools/list_changed']);
    expect((await client.listTools()).tools).toHaveLength(before + 1);
  });
});
