import { type ClearedCall, isOver, type JsonObject, type Outcome, type TaskState } from '#call';
import { askClient } from '../asking.ts';
import { asObject, RpcError } from '../errors.ts';
import { mayAsk } from '../questions.ts';
import type { Hooks } from '../run.ts';
import type { Place } from './place.ts';

/** How long a server that says that it needs answers has to ask. */
const ASK_MS = 1_000;
const INVALID_PARAMS = -32602;

const about = (call: ClearedCall): boolean => call.task?.kind === 'about' && call.task.isDetailed;

/** The state with how it ended: a tool's own error is a result, only one of the protocol is an error. */
const withEnd = async (place: Place, state: TaskState): Promise<TaskState> => {
  if (state.status === 'cancelled') return state;
  try {
    return { ...state, status: 'completed', result: await place.finish() };
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const { code, message, data } = error;
    return { ...state, status: 'failed', error: { code, message, ...(data !== undefined && { data }) } };
  }
};

/** The state with what it asks; what this client does not take is refused in its name. */
const withQuestions = async (call: ClearedCall, place: Place, state: TaskState): Promise<TaskState> => {
  const inputRequests: JsonObject = {};
  for (const [key, question] of await place.questions(ASK_MS)) {
    if (mayAsk(call.client.capabilities, question)) inputRequests[key] = { ...question };
    else {
      const message = `The client does not take ${question.method} as asked.`;
      place.answer(key, { error: { code: INVALID_PARAMS, message } });
    }
  }
  if (Object.keys(inputRequests).length > 0) return { ...state, status: 'input_required', inputRequests };
  const later = await place.state(call.signal);
  return isOver(later) ? withEnd(place, later) : { ...later, status: 'working' };
};

const get = async (call: ClearedCall, place: Place): Promise<Outcome> => {
  const state = await place.state(call.signal);
  const isAsking = !isOver(state) && (state.status === 'input_required' || place.isAsking());
  if (!about(call)) return { kind: 'task', task: isAsking ? { ...state, status: 'input_required' } : state };
  if (isOver(state)) return { kind: 'task', task: await withEnd(place, state) };
  return { kind: 'task', task: isAsking ? await withQuestions(call, place, state) : state };
};

const update = async ({ params }: ClearedCall, place: Place): Promise<Outcome> => {
  for (const [key, response] of Object.entries(asObject(params.inputResponses) ?? {})) {
    const result = asObject(response);
    if (result) place.answer(key, { result });
  }
  return { kind: 'done', result: {}, isToolError: false };
};

const cancel = async (call: ClearedCall, place: Place): Promise<Outcome> => {
  const done: Outcome = { kind: 'done', result: {}, isToolError: false };
  try {
    const task = await place.cancel(call.signal);
    return about(call) ? done : { kind: 'task', task };
  } catch (error) {
    // Whoever is told of nothing but that it was heard is not told that there was nothing to cancel.
    const wasOver = about(call) && error instanceof RpcError && error.code === INVALID_PARAMS;
    if (wasOver && isOver(await place.state(call.signal))) return done;
    throw error;
  }
};

const result = async (call: ClearedCall, place: Place): Promise<Outcome> => {
  const { signal, notify, question } = call;
  const hooks: Hooks = {
    signal,
    notify,
    onQuestion: (asked, until) => askClient(call, asked, until, { ...hooks, onQuestion: question ?? nobody }),
  };
  const ended = await place.wait(hooks);
  return { kind: 'done', result: ended, isToolError: ended.isError === true };
};

const nobody: Hooks['onQuestion'] = async () => ({
  error: { code: INVALID_PARAMS, message: 'The client cannot be asked.' },
});

/** What can be asked about a task of a server that keeps it by connection. */
export const sessionful: Readonly<Record<string, (call: ClearedCall, place: Place) => Promise<Outcome>>> = {
  'tasks/get': get,
  'tasks/update': update,
  'tasks/cancel': cancel,
  'tasks/result': result,
};
