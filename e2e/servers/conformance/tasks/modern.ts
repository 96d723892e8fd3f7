/** The tasks extension of 2026-07-28: `tasks/get`, `tasks/update`, `tasks/cancel`, and calls that become tasks unasked. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  type JSONRPCRequest,
  type MessageExtraInfo,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type TaskMethods, taskOf, taskToolOf } from './calls.ts';
import type { Task, Tasks } from './tasks.ts';

const TASKS = 'io.modelcontextprotocol/tasks';
/** What a client must declare to be given tasks. */
export const REQUIRED = { extensions: { [TASKS]: {} } };
const HEADER_MISMATCH = -32020;
const POLL_MS = 100;

const Capable = z.looseObject({
  _meta: z.looseObject({
    [CLIENT_CAPABILITIES_META_KEY]: z.looseObject({ extensions: z.looseObject({ [TASKS]: z.object() }) }),
  }),
});
const Answers = z.record(z.string(), z.unknown());

export const createModernTasks = (tasks: Tasks): TaskMethods => {
  const methods: Record<string, (task: Task, params: JSONRPCRequest['params']) => Record<string, unknown>> = {
    'tasks/get': detailed,
    'tasks/update': (task, params) => {
      const answers = Answers.safeParse(params?.inputResponses);
      if (!answers.success) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'No inputResponses');
      tasks.answer(task, answers.data);
      return {};
    },
    'tasks/cancel': (task) => {
      tasks.cancel(task);
      return {};
    },
  };
  return {
    take: () => false,
    request: (request, extra) => {
      const run = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
      if (!run) return call(tasks, request);
      checkName(request, extra);
      requireTasks(request);
      return complete(run(taskOf(tasks, request.params), request.params));
    },
  };
};

/** A client that can hold tasks gets one for each tool that can be one. */
const call = (tasks: Tasks, request: JSONRPCRequest) => {
  const tool = taskToolOf(request);
  if (!tool) return undefined;
  if (tool.support === 'required') requireTasks(request);
  const answers = Answers.safeParse(request.params?.inputResponses);
  if (!isCapable(request) || (tool.asksFirst && !answers.success)) return undefined;
  const task = tasks.start(tool.run, { answers: tool.asksFirst ? answers.data : undefined });
  return { ...complete(handle(task)), resultType: 'task' };
};

export const isCapable = ({ params }: JSONRPCRequest) => Capable.safeParse(params).success;

const requireTasks = (request: JSONRPCRequest) => {
  if (isCapable(request)) return;
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: REQUIRED });
};

/** Over HTTP the header `Mcp-Name` names the task. */
const checkName = ({ params }: JSONRPCRequest, extra: MessageExtraInfo | undefined) => {
  if (!extra?.request || extra.request.headers.get('mcp-name') === params?.taskId) return;
  throw new ProtocolError(HEADER_MISMATCH, 'The header Mcp-Name does not name the task');
};

const complete = (result: Record<string, unknown>) => ({
  resultType: 'complete',
  ...result,
  _meta: { [SERVER_INFO_META_KEY]: { name: 'conformance', version: '1.0.0' } },
});

const handle = ({ id, createdAt, lastUpdatedAt, ttlMs, outcome }: Task) => ({
  taskId: id,
  status: outcome.status,
  createdAt,
  lastUpdatedAt,
  ttlMs,
  pollIntervalMs: POLL_MS,
});

/** The handle and what belongs to its status: questions, the result or the error. */
export const detailed = (task: Task) => ({ ...handle(task), ...task.outcome });
