import { type ClearedCall, isOver, type JsonObject, type Outcome, type TaskState } from '#call';
import { sleep } from '#lib/sleep';
import { askClient } from '../asking.ts';
import type { Connection } from '../connection.ts';
import { asObject, RpcError, ServerUnavailable } from '../errors.ts';
import { questionsIn } from '../questions.ts';
import { readState, withoutRelated } from './state.ts';
import { withTasks } from './wish.ts';

type Method = (call: ClearedCall, connection: Connection, callTimeoutMs: number) => Promise<Outcome>;
/** Sends one request about the task of a call. */
type Send = (method: string, more?: JsonObject) => Promise<JsonObject>;

const POLL_MS = 1_000;
const MIN_POLL_MS = 100;
const MAX_POLL_MS = 60_000;
/** How long a cancelled task may take to say that it is. */
const CANCELLED_MS = 1_000;
const CANCELLED = -32000;
const INVALID_PARAMS = -32602;
const INTERNAL = -32603;

/** How long to wait before asking again. */
export const pollMs = ({ pollIntervalMs }: TaskState): number =>
  typeof pollIntervalMs === 'number' ? Math.min(Math.max(pollIntervalMs, MIN_POLL_MS), MAX_POLL_MS) : POLL_MS;

export const senderOf =
  (call: ClearedCall, connection: Pick<Connection, 'request'>, timeoutMs: number): Send =>
  (method, more = {}) => {
    const { _meta } = withoutRelated(call.params);
    const params = { ...more, taskId: call.kept?.ownId ?? '', ...(_meta !== undefined && { _meta }) };
    return connection.request(method, params, {
      signal: call.signal,
      timeoutMs,
      clientCapabilities: withTasks(call),
    });
  };

const done = (result: JsonObject): Outcome => ({ kind: 'done', result, isToolError: result.isError === true });
const isDetailed = ({ task }: ClearedCall): boolean => task?.kind === 'about' && task.isDetailed;

const stateOf = async (send: Send): Promise<TaskState> => readState(await send('tasks/get'));

const cancel: Method = async (call, connection, timeoutMs) => {
  const send = senderOf(call, connection, timeoutMs);
  if (isDetailed(call)) return done(await send('tasks/cancel'));
  const before = await stateOf(send);
  if (isOver(before)) {
    const message = `The task cannot be cancelled: it is ${before.status}.`;
    return { kind: 'failed', error: { code: INVALID_PARAMS, message } };
  }
  await send('tasks/cancel');
  let task = await stateOf(send);
  for (const deadline = Date.now() + CANCELLED_MS; !isOver(task) && Date.now() < deadline; task = await stateOf(send))
    await sleep(MIN_POLL_MS, call.signal);
  return { kind: 'task', task: isOver(task) ? task : { ...task, status: 'cancelled' } };
};

/** The client's answers by their keys. Who does not answer a form has cancelled it; nothing else can be left open. */
const answersOf = async (call: ClearedCall, task: TaskState, seen: Set<string>): Promise<JsonObject> => {
  const { signal, notify, question } = call;
  const questions = questionsIn(task.inputRequests);
  if (!questions || !question) throw new ServerUnavailable('It asks for what this client cannot be asked.');
  const fresh = Object.entries(questions).filter(([key]) => !seen.has(key));
  const hooks = { signal, notify, onQuestion: question };
  const answers = await Promise.all(
    fresh.map(async ([key, asked]) => {
      seen.add(key);
      const reply = await askClient(call, asked, signal, hooks);
      if ('result' in reply) return [key, reply.result] as const;
      if (asked.method === 'elicitation/create') return [key, { action: 'cancel' }] as const;
      throw new RpcError(reply.error.code, reply.error.message, reply.error.data);
    }),
  );
  return Object.fromEntries(answers);
};

const endOf = (task: TaskState): Outcome => {
  if (task.status === 'completed') return done(asObject(task.result) ?? {});
  if (task.status === 'cancelled')
    return { kind: 'failed', error: { code: CANCELLED, message: 'The task was cancelled.' } };
  const error = RpcError.from(task.error);
  const { code = INTERNAL, message = 'The task failed.', data } = error ?? {};
  return { kind: 'failed', error: { code, message, data } };
};

/** Waits for the end of the task, and asks the client meanwhile what the task asks. */
const result: Method = async (call, connection, timeoutMs) => {
  const send = senderOf(call, connection, timeoutMs);
  const seen = new Set<string>();
  let task = await stateOf(send);
  while (!isOver(task)) {
    const answers = task.status === 'input_required' ? await answersOf(call, task, seen) : {};
    if (Object.keys(answers).length > 0) await send('tasks/update', { inputResponses: answers });
    else await sleep(pollMs(task), call.signal);
    task = await stateOf(send);
  }
  return endOf(task);
};

/** What can be asked about a task of a server that keeps it by its id alone. */
export const stateless: Readonly<Record<string, Method>> = {
  'tasks/get': async (call, connection, timeoutMs) => ({
    kind: 'task',
    task: await stateOf(senderOf(call, connection, timeoutMs)),
  }),
  'tasks/update': async (call, connection, timeoutMs) =>
    done(await senderOf(call, connection, timeoutMs)('tasks/update', { inputResponses: call.params.inputResponses })),
  'tasks/cancel': cancel,
  'tasks/result': result,
};
