import { z } from 'zod';
import type { Caller, JsonObject, TaskState, TaskWish } from '#call';
import type { Reply } from '../edge.ts';
import { InvalidParams, taskOf } from '../methods.ts';
import { isForTasksAlone, TASKS } from '../tasks.ts';
import { CODE } from '../wire.ts';
import { forSessionful } from './sessionful-result.ts';

const RELATED = 'io.modelcontextprotocol/related-task';

const Augmented = z.looseObject({ ttl: z.number().min(0).optional() });

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Anybody is not told of anybody's tasks: without a token only the handle opens one. */
export const mayListTasks = ({ kind }: Caller): boolean => kind !== 'anonymous';

/** What is offered of the experimental tasks of 2025-11-25. */
export const taskCapability = (caller: Caller): JsonObject => ({
  tasks: { ...(mayListTasks(caller) && { list: {} }), cancel: {}, requests: { tools: { call: {} } } },
});

/** What the client can do, without what means nothing before 2026-07-28, and without tasks of its own, which nobody begins. */
export const withoutTasks = ({ tasks: _tasks, extensions, ...rest }: JsonObject): JsonObject => {
  if (!isObject(extensions)) return extensions === undefined ? rest : { ...rest, extensions };
  const { [TASKS]: _extension, ...others } = extensions;
  return { ...rest, ...(Object.keys(others).length > 0 && { extensions: others }) };
};

/** What a request has to do with tasks. Throws `InvalidParams`. */
export const wishOf = (method: string, params: JsonObject): TaskWish | undefined => {
  if (method.startsWith('tasks/')) return taskOf(method, params, false);
  if (method !== 'tools/call' || params.task === undefined) return undefined;
  const task = Augmented.safeParse(params.task);
  if (!task.success) throw new InvalidParams('Invalid params of tools/call: task.ttl: a number of milliseconds.');
  return { kind: 'must', ttlMs: task.data.ttl };
};

/** A task as 2025-11-25 knows it: there, a tool's own error makes it a failed one. */
export const sessionfulTask = (state: TaskState): JsonObject => {
  const { ttlMs, pollIntervalMs, result, error, inputRequests: _requests, resultType: _type, _meta, ...task } = state;
  const hasFailed = task.status === 'completed' && isObject(result) && result.isError === true;
  const reason = isObject(error) ? error.message : undefined;
  return {
    ...task,
    ...(hasFailed && { status: 'failed' }),
    ...(task.statusMessage === undefined && typeof reason === 'string' && { statusMessage: reason }),
    ttl: ttlMs ?? null,
    ...(pollIntervalMs !== undefined && { pollInterval: pollIntervalMs }),
  };
};

/** The same, said to belong to the task. */
export const related = (content: JsonObject, handle: string): JsonObject => ({
  ...content,
  _meta: { ...(isObject(content._meta) && content._meta), [RELATED]: { taskId: handle } },
});

const listed = ({ tasks, ...rest }: JsonObject): JsonObject => ({
  ...rest,
  tasks: Array.isArray(tasks) ? tasks.map((task) => sessionfulTask(task as TaskState)) : [],
});

/** A reply in the words of this era. */
export const forSession = (method: string, wish: TaskWish | undefined, reply: Reply): Reply => {
  if ('task' in reply) {
    const task = sessionfulTask(reply.task);
    if (method !== 'tools/call') return { result: task };
    return { result: { task, ...(isObject(reply.task._meta) && { _meta: reply.task._meta }) } };
  }
  if ('error' in reply && isForTasksAlone(reply.error))
    return { error: { code: CODE.methodNotFound, message: 'This tool can only be called as a task.' } };
  if (!('result' in reply)) return reply;
  if (method === 'tasks/list') return { result: listed(reply.result) };
  const result = forSessionful(reply.result);
  return { result: method === 'tasks/result' && wish?.kind === 'about' ? related(result, wish.handle) : result };
};
