/** Clients that know tasks, in either era, with one way to use them. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  CreateTaskResultSchema,
  ElicitRequestSchema,
  TaskStatusNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { until } from './peta.ts';
import { post } from './raw.ts';

type Json = Record<string, unknown>;
export type TaskState = Json & { taskId: string; status: string };
type Ending = { result: Json } | { error: { code: number; message: string } };

type TaskClient = {
  /** Rejects with a message that holds the error's code. */
  begin(name: string, args: object, ttl?: number): Promise<TaskState>;
  get(taskId: string): Promise<TaskState>;
  cancel(taskId: string): Promise<unknown>;
  /** Waits until the task is over, and answers what it asks: accepts forms with what `answer` makes of their message. */
  finish(taskId: string): Promise<Ending>;
  /** States that it was told of. */
  told: TaskState[];
  /** Hears of the task from now on, where that has to be asked for. */
  listen(taskIds: string[]): Promise<void>;
  /** The messages of the forms it was shown. */
  asked: string[];
  close(): Promise<void>;
};

export type ConnectTasks = (url: string, token: string | undefined) => Promise<TaskClient>;

const content = { confirm: true, name: 'Ada', answer: 'yes' };
const isOver = ({ status }: TaskState) => ['completed', 'failed', 'cancelled'].includes(status);
const VERSION = '2026-07-28';

type RpcAnswer = { result?: Json; error?: { code: number; message: string; data?: unknown } };

/** One request of 2026-07-28 by hand. */
export const askModern = async (
  url: string,
  token: string | undefined,
  method: string,
  params: Json,
  capabilities: Json = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } },
): Promise<RpcAnswer> => {
  const name = params.name ?? params.taskId;
  const { json } = await post(
    url,
    { jsonrpc: '2.0', id: 1, method, params: withMeta(params, capabilities) },
    {
      ...(token !== undefined && { token }),
      headers: headersOf(method, name),
    },
  );
  return json as RpcAnswer;
};

const withMeta = (params: Json, capabilities: Json) => ({
  ...params,
  _meta: {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientInfo': { name: 'e2e-tasks', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  },
});
const headersOf = (method: string, name?: unknown): Record<string, string> => ({
  'mcp-protocol-version': VERSION,
  'mcp-method': method,
  ...(typeof name === 'string' && { 'mcp-name': name }),
});

const resultOf = ({ result, error }: RpcAnswer): Json => {
  if (!result) throw new Error(`${error?.code}: ${error?.message}`);
  return result;
};

export const modernTasks: ConnectTasks = async (url, token) => {
  const told: TaskState[] = [];
  const asked: string[] = [];
  const cut = new AbortController();
  const ask = async (method: string, params: Json) => resultOf(await askModern(url, token, method, params));
  const get = async (taskId: string) => (await ask('tasks/get', { taskId })) as TaskState;

  const formsIn = (requests: unknown) =>
    Object.entries((requests ?? {}) as Record<string, { params: { message: string } }>);
  const answered = (requests: unknown): Json => {
    asked.push(...formsIn(requests).map(([, { params }]) => params.message));
    return Object.fromEntries(formsIn(requests).map(([key]) => [key, { action: 'accept', content }]));
  };

  return {
    told,
    asked,
    get,
    async begin(name, args) {
      const params = { name, arguments: args };
      let begun = await ask('tools/call', params);
      while (begun.resultType === 'input_required') {
        const more = { inputResponses: answered(begun.inputRequests), requestState: begun.requestState };
        begun = await ask('tools/call', { ...params, ...more });
      }
      if (begun.resultType !== 'task') throw new Error(`no task: ${JSON.stringify(begun)}`);
      return begun as TaskState;
    },
    cancel: (taskId) => ask('tasks/cancel', { taskId }),
    async finish(taskId) {
      const end = await until('the task is over', async () => {
        const state = await get(taskId);
        if (state.status === 'input_required')
          await ask('tasks/update', { taskId, inputResponses: answered(state.inputRequests) });
        return isOver(state) && state;
      });
      if (end.status === 'cancelled') return { error: { code: 0, message: 'cancelled' } };
      return 'error' in end
        ? { error: end.error as { code: number; message: string } }
        : { result: end.result as Json };
    },
    async listen(taskIds) {
      const method = 'subscriptions/listen';
      const params = withMeta({ notifications: { taskIds } }, { extensions: { 'io.modelcontextprotocol/tasks': {} } });
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headersOf(method),
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 'l', method, params }),
        signal: cut.signal,
      });
      if (!response.body) throw new Error('no stream');
      const lines = createInterface(Readable.fromWeb(response.body));
      lines.on('error', () => {});
      await new Promise<void>((acknowledged) => {
        lines.on('line', (line) => {
          const message = JSON.parse(/^data: (.*)$/.exec(line)?.[1] ?? '{}');
          if (message.method === 'notifications/subscriptions/acknowledged') acknowledged();
          if (message.method === 'notifications/tasks') told.push(message.params);
        });
      });
    },
    close: async () => cut.abort(),
  };
};

const withToken = (token: string | undefined) =>
  token === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${token}` } } };

export const legacyTasks: ConnectTasks = async (url, token) => {
  const told: TaskState[] = [];
  const asked: string[] = [];
  const client = new LegacyClient({ name: 'e2e-tasks', version: '1' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
    asked.push(params.message);
    return { action: 'accept', content };
  });
  client.setNotificationHandler(TaskStatusNotificationSchema, ({ params }) => {
    told.push(params);
  });
  const transport = new LegacyTransport(new URL(url), withToken(token));
  await client.connect(transport);
  const { tasks } = client.experimental;

  return {
    told,
    asked,
    async begin(name, args, ttl) {
      const params = { name, arguments: { ...args }, task: ttl === undefined ? {} : { ttl } };
      return (await client.request({ method: 'tools/call', params }, CreateTaskResultSchema)).task;
    },
    get: (taskId) => tasks.getTask(taskId) as Promise<TaskState>,
    cancel: (taskId) => tasks.cancelTask(taskId),
    async finish(taskId) {
      try {
        return { result: await tasks.getTaskResult(taskId, CallToolResultSchema) };
      } catch (error) {
        const { code, message } = error as { code: number; message: string };
        return { error: { code, message } };
      }
    },
    listen: async () => {},
    async close() {
      await transport.terminateSession().catch(() => {});
      await client.close();
    },
  };
};

/** The tasks that a client of 2025-11-25 is shown, over all pages. */
export const listTasks = async (url: string, token: string | undefined): Promise<TaskState[]> => {
  const client = new LegacyClient({ name: 'e2e-list', version: '1' });
  await client.connect(new LegacyTransport(new URL(url), withToken(token)));
  const found: TaskState[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.experimental.tasks.listTasks(cursor);
    found.push(...page.tasks);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  await client.close();
  return found;
};
