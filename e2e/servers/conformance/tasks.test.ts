/** Tasks by hand and by the SDK 1.x, which knows those of 2025-11-25. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { Readable } from 'node:stream';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { post } from '../../harness/raw.ts';

const SERVER = join(import.meta.dirname, '../conformance.ts');
const VERSION = '2026-07-28';

let server: ChildProcess;
let url: string;
const open: { close: () => Promise<void> }[] = [];

beforeAll(async () => {
  server = spawn(process.execPath, [SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (!server.stdout) throw new Error('no standard output');
  [url] = await once(createInterface(server.stdout), 'line');
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => server.kill());

const withMeta = (params: object, extensions: object = { 'io.modelcontextprotocol/tasks': {} }) => ({
  ...params,
  _meta: {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, extensions },
  },
});
const request = (id: number, method: string, params: object, extensions?: object) => ({
  jsonrpc: '2.0',
  id,
  method,
  params: withMeta(params, extensions),
});
const headers = (method: string, name?: string) => ({
  'mcp-protocol-version': VERSION,
  'mcp-method': method,
  ...(name && { 'mcp-name': name }),
});

type Message = {
  id?: number;
  method?: string;
  params?: object;
  result?: { taskId?: string };
  error?: { code: number };
};

/** Answers come in their order; what else comes is kept in `told`. */
const overHttp = async () => {
  const told: Message[] = [];
  let id = 0;
  return {
    told,
    ask: async (
      method: string,
      params: { name?: string; taskId?: string; [other: string]: unknown },
      extensions?: object,
    ) => {
      const name = params.name ?? params.taskId;
      const body = request(++id, method, params, extensions);
      return (await post(url, body, { headers: headers(method, name) })).json as Message;
    },
    listen: async (taskIds: string[]) => {
      const cut = new AbortController();
      open.push({ close: async () => cut.abort() });
      const method = 'subscriptions/listen';
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers(method),
        },
        body: JSON.stringify(request(++id, method, { notifications: { taskIds } })),
        signal: cut.signal,
      });
      if (!response.body) throw new Error('no stream');
      void collect(createInterface(Readable.fromWeb(response.body)), told, /^data: (.*)$/);
    },
  };
};

const overStdio = async () => {
  const told: Message[] = [];
  const answers: Message[] = [];
  const child = spawn(process.execPath, [SERVER, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  open.push({ close: async () => void child.kill() });
  const sort = (message: Message) => (message.method ? told : answers).push(message);
  void collect(createInterface(child.stdout), { push: sort }, /^(.*)$/);
  let id = 0;
  const send = (method: string, params: object, extensions?: object) =>
    child.stdin.write(`${JSON.stringify(request(++id, method, params, extensions))}\n`);
  return {
    told,
    ask: async (method: string, params: object, extensions?: object) => {
      send(method, params, extensions);
      const answered = () => answers.find((answer) => answer.id === id);
      await expect.poll(answered).toBeDefined();
      return answered() ?? {};
    },
    listen: async (taskIds: string[]) => void send('subscriptions/listen', { notifications: { taskIds } }),
  };
};

const collect = async (lines: Interface, into: { push: (message: Message) => unknown }, data: RegExp) => {
  try {
    for await (const line of lines) {
      const message = data.exec(line)?.[1];
      if (message) into.push(JSON.parse(message));
    }
  } catch {
    // The stream was cut.
  }
};

describe.each([
  ['HTTP', overHttp],
  ['stdio', overStdio],
])('the tasks extension of 2026-07-28 over %s', (_, connect) => {
  test('a task asks, is answered, and tells each state to those who listen', async () => {
    const { ask, listen, told } = await connect();
    const { result } = await ask('tools/call', { name: 'confirm_delete', arguments: { filename: 'a' } });
    const taskId = result?.taskId ?? '';
    expect(result).toMatchObject({ resultType: 'task', status: 'working' });
    await listen([taskId, 'unknown']);
    await expect.poll(() => told).toMatchObject([{ params: { notifications: { taskIds: [taskId] } } }]);
    const { result: state } = await ask('tasks/get', { taskId });
    expect(state).toMatchObject({
      status: 'input_required',
      inputRequests: { confirm: { method: 'elicitation/create' } },
    });
    const inputResponses = { confirm: { action: 'accept', content: { confirm: true } } };
    const ack = await ask('tasks/update', { taskId, inputResponses });
    expect(ack.result).toEqual({ resultType: 'complete', _meta: expect.anything() });
    await expect
      .poll(() => told.slice(1))
      .toMatchObject([
        { method: 'notifications/tasks', params: { taskId, status: 'working' } },
        { method: 'notifications/tasks', params: { taskId, status: 'completed', result: { content: [{}] } } },
      ]);
  });

  test('a client that does not know tasks is given none', async () => {
    const { ask } = await connect();
    const { result } = await ask('tools/call', { name: 'slow_compute', arguments: { seconds: 0 } }, {});
    expect(result).toMatchObject({ resultType: 'complete' });
    for (const [method, params] of [
      ['tasks/get', { taskId: 'x' }],
      ['tools/call', { name: 'failing_job', arguments: {} }],
      ['subscriptions/listen', { notifications: { taskIds: ['x'] } }],
    ] as const)
      expect((await ask(method, params, {})).error?.code).toBe(-32021);
  });
});

describe('the experimental tasks of 2025-11-25', () => {
  const connectOld = async () => {
    const client = new OldClient({ name: 'old', version: '1.0.0' }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({
      action: 'accept',
      content: { answer: params.message },
    }));
    await client.connect(new OldTransport(new URL(url)));
    open.push(client);
    return client;
  };
  const start = async (client: OldClient, args: object) => {
    const params = { name: 'legacy_task', arguments: { ...args } };
    const stream = client.experimental.tasks.callToolStream(params, CallToolResultSchema, { task: { ttl: 60_000 } });
    const first = await stream.next();
    if (first.done || first.value.type !== 'taskCreated') throw new Error('no task');
    return { id: first.value.task.taskId, stream };
  };

  test('a task is listed, asks while its result is waited for, and keeps the result', async () => {
    const client = await connectOld();
    const { id, stream } = await start(client, { ms: 50, ask: 'Go on?' });
    expect((await client.experimental.tasks.listTasks()).tasks.map(({ taskId }) => taskId)).toContain(id);
    const later = [];
    for await (const message of stream) later.push(message);
    expect(later.at(-1)).toMatchObject({
      type: 'result',
      result: { structuredContent: { waited: 50, action: 'accept', content: { answer: 'Go on?' } } },
    });
    expect((await client.experimental.tasks.getTask(id)).status).toBe('completed');
    const again = await client.experimental.tasks.getTaskResult(id, CallToolResultSchema);
    expect(again._meta).toEqual({ 'io.modelcontextprotocol/related-task': { taskId: id } });
  });

  test('a task is cancelled once', async () => {
    const client = await connectOld();
    const { id } = await start(client, { ms: 60_000 });
    expect((await client.experimental.tasks.cancelTask(id)).status).toBe('cancelled');
    await expect(client.experimental.tasks.cancelTask(id)).rejects.toThrow('over');
  });

  test('without a task the tool answers within the call', async () => {
    const client = await connectOld();
    const result = await client.callTool({ name: 'legacy_task', arguments: { ask: 'Now?' } });
    expect(result.structuredContent).toMatchObject({ content: { answer: 'Now?' } });
  });
});
