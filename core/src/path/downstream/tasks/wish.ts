import type { Call, JsonObject, Outcome, TaskState } from '#call';
import type { Connection } from '../connection.ts';
import { asObject, RpcError } from '../errors.ts';
import { fromSessionful, stateIn } from './state.ts';

/** The extension by which both sides say that they know tasks, since 2026-07-28. */
const TASKS = 'io.modelcontextprotocol/tasks';

/** What a server's list says of a tool: must it be a task, may it? */
export type Support = (call: Call) => unknown;

type Spoken = Pick<Connection, 'capabilities' | 'isStateless'>;

const METHOD_NOT_FOUND = -32601;
const INTERNAL = -32603;
const MISSING_CAPABILITY = -32021;

/** What the server is told of a client that knows tasks, in whichever words it said so. */
export const withTasks = ({ task, client: { capabilities } }: Call): JsonObject =>
  task ? { ...capabilities, extensions: { ...asObject(capabilities.extensions), [TASKS]: {} } } : capabilities;

const isFirm = (support: unknown): boolean => support === 'required' || support === 'optional';

/** Is the call to become a task, as far as the server's list says? */
export const isForTask = (call: Call, support: Support): boolean =>
  call.method === 'tools/call' && call.task !== undefined && (call.task.kind === 'must' || isFirm(support(call)));

/** Does the server say that it makes tasks of calls, in the words of its era? */
export const takesTasks = ({ capabilities, isStateless }: Spoken): boolean =>
  isStateless
    ? asObject(asObject(capabilities.extensions)?.[TASKS]) !== undefined
    : asObject(asObject(asObject(capabilities.tasks)?.requests)?.tools)?.call !== undefined;

/**
 * What goes along with a call in the parameters, so that a server of the older kind makes it a task. Throws `RpcError`
 * for a call that cannot be made in the way that the client wants it.
 */
export const taskParams = (call: Call, connection: Spoken, support: Support): JsonObject => {
  const { method, task, capability } = call;
  if (method !== 'tools/call') return {};
  const supported = takesTasks(connection) && (connection.isStateless || isFirm(support(call)));
  if (task?.kind === 'must' && !supported)
    throw new RpcError(METHOD_NOT_FOUND, `The tool ${capability.name} cannot be called as a task.`, undefined);
  if (connection.isStateless || !supported) return {};
  if (task) return { task: task.kind === 'must' && task.ttlMs !== undefined ? { ttl: task.ttlMs } : {} };
  if (support(call) !== 'required') return {};
  throw new RpcError(
    MISSING_CAPABILITY,
    `The tool ${capability.name} can only be called by a client that takes tasks.`,
    {
      requiredCapabilities: { extensions: { [TASKS]: {} } },
    },
  );
};

/** A new task is told of without what it asks or ended with: that is to be fetched. */
const asBegun = ({ inputRequests: _requests, result: _result, error: _error, ...task }: TaskState): TaskState =>
  task as TaskState;

const begunIn = ({ isStateless }: Spoken, hasDemanded: boolean, result: JsonObject): JsonObject | undefined => {
  if (isStateless) return result.resultType === 'task' ? result : undefined;
  const task = hasDemanded ? asObject(result.task) : undefined;
  return task && { ...fromSessionful(task), ...(result._meta !== undefined && { _meta: result._meta }) };
};

/** What the last answer to a call means: its result, or the task that goes on. */
export const endOf = (call: Call, connection: Spoken, hasDemanded: boolean, result: JsonObject): Outcome => {
  const begun = begunIn(connection, hasDemanded, result);
  if (!begun) return { kind: 'done', result, isToolError: result.isError === true };
  const task = stateIn(begun);
  const { serverId } = call.capability;
  if (task && call.task) return { kind: 'task', task: asBegun(task) };
  const message = task
    ? `The server ${serverId} answered with a task, which this client does not take.`
    : `The server ${serverId} answered with a task that has no id or no status.`;
  return { kind: 'failed', error: { code: INTERNAL, message } };
};
