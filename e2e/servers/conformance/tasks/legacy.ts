/** The experimental tasks of 2025-11-25: a call with `task` becomes one; `tasks/result` waits for it, and asks meanwhile. */
import { randomUUID } from 'node:crypto';
import {
  type CallToolResult,
  type InputRequest,
  isJSONRPCResultResponse,
  type JSONRPCRequest,
  ProtocolError,
  ProtocolErrorCode,
  RELATED_TASK_META_KEY,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type TaskMethods, taskOf, taskToolOf } from './calls.ts';
import { changed, isOver, type Task, type Tasks } from './tasks.ts';

type Method = (request: JSONRPCRequest) => Promise<Record<string, unknown>> | Record<string, unknown>;

const PAGE = 20;
const POLL_MS = 100;
const CANCELLED = -32000;

const Augmented = z.looseObject({ task: z.looseObject({ ttl: z.int().positive().optional() }) });

export const createLegacyTasks = (tasks: Tasks, transport: Transport): TaskMethods => {
  const asked = new Map<RequestId, (answer: unknown) => void>();
  const methods: Record<string, Method> = {
    'tasks/get': ({ params }) => described(taskOf(tasks, params)),
    'tasks/list': ({ params }) => list(tasks, params?.cursor),
    'tasks/result': ({ id, params }) => {
      const task = taskOf(tasks, params);
      return outcomeOf(task, (key, question) => {
        const questionId = randomUUID();
        asked.set(questionId, (answer) => tasks.answer(task, { [key]: answer }));
        const message = { jsonrpc: '2.0' as const, id: questionId, ...related(task, question) };
        transport.send(message, { relatedRequestId: id }).catch(() => undefined);
      });
    },
    'tasks/cancel': ({ params }) => {
      const task = taskOf(tasks, params);
      if (isOver(task)) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'The task is over');
      tasks.cancel(task);
      return described(task);
    },
    'tools/call': (request) => call(tasks, transport, request),
  };
  return {
    take: (message) => {
      if ('method' in message || message.id === undefined) return false;
      const answer = asked.get(message.id);
      asked.delete(message.id);
      if (isJSONRPCResultResponse(message)) answer?.(message.result);
      else answer?.({ action: 'cancel' });
      return answer !== undefined;
    },
    request: (request) => {
      const method = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
      return request.method === 'tools/call' && isOrdinary(request) ? undefined : method?.(request);
    },
  };
};

/** A call without `task` is the SDK's, unless its tool must be a task. */
const isOrdinary = (request: JSONRPCRequest) =>
  !Augmented.safeParse(request.params).success && taskToolOf(request)?.support !== 'required';

const call = (tasks: Tasks, transport: Transport, request: JSONRPCRequest) => {
  const tool = taskToolOf(request);
  const augmented = Augmented.safeParse(request.params);
  if (!tool || !augmented.success)
    throw new ProtocolError(ProtocolErrorCode.MethodNotFound, tool ? 'Only as a task' : 'Never as a task');
  const task = tasks.start(tool.run, { ttlMs: augmented.data.task.ttl });
  task.changes.on('change', () => {
    const params = described(task);
    transport.send({ jsonrpc: '2.0', method: 'notifications/tasks/status', params }).catch(() => undefined);
  });
  return { task: described(task) };
};

const described = ({ id, createdAt, lastUpdatedAt, ttlMs, outcome }: Task) => ({
  taskId: id,
  status: outcome.status,
  createdAt,
  lastUpdatedAt,
  ttl: ttlMs,
  pollInterval: POLL_MS,
});

/** The cursor is the id of the last task of the page before. */
const list = (tasks: Tasks, cursor: unknown) => {
  const all = tasks.all();
  const start = cursor === undefined ? 0 : all.indexOf(taskOf(tasks, { taskId: cursor })) + 1;
  const page = all.slice(start, start + PAGE);
  const isMore = all.length > start + PAGE;
  return { tasks: page.map(described), ...(isMore && { nextCursor: page.at(-1)?.id }) };
};

/** Puts each question of the task once, and returns what the call would have returned. */
const outcomeOf = async (task: Task, put: (key: string, question: InputRequest) => void) => {
  const seen = new Set<string>();
  while (!isOver(task)) {
    if (task.outcome.status === 'input_required')
      for (const [key, question] of Object.entries(task.outcome.inputRequests)) {
        if (!seen.has(key)) put(key, question);
        seen.add(key);
      }
    await changed(task);
  }
  const { outcome } = task;
  if (outcome.status === 'completed') return marked(task, outcome.result);
  if (outcome.status === 'failed') throw new ProtocolError(outcome.error.code, outcome.error.message);
  throw new ProtocolError(CANCELLED, 'The task was cancelled');
};

const mark = ({ id }: Task) => ({ [RELATED_TASK_META_KEY]: { taskId: id } });

const marked = (task: Task, result: CallToolResult) => ({ ...result, _meta: { ...result._meta, ...mark(task) } });

const related = (task: Task, { method, params }: InputRequest) => ({
  method,
  params: { ...params, _meta: mark(task) },
});
