import { type ClearedCall, isOver, type Outcome } from '#call';
import type { Connection } from '../connection.ts';
import { keyOf, toOutcome, untilAborted, wantOf } from '../execute.ts';
import type { Quiet } from '../quiet.ts';
import type { Place } from './place.ts';
import type { Places } from './places.ts';
import { sessionful } from './sessionful.ts';
import { stateless } from './stateless.ts';
import { watchedPlace, watchedTask, watchTask } from './watch.ts';

type Options = { places: Places; quiet: Quiet; callTimeoutMs: number };

const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

const isPlace = (at: Place | Connection): at is Place => 'finish' in at;

/** Has the client been told how it ended, or that it is not there? */
const isTold = ({ method }: ClearedCall, outcome: Outcome): boolean => {
  if (outcome.kind === 'failed') return method === 'tasks/result' || outcome.error.code === INVALID_PARAMS;
  if (outcome.kind === 'task') return isOver(outcome.task) && 'result' in outcome.task;
  return outcome.kind === 'done' && method === 'tasks/result';
};

/** Carries out what a client asks about a task of its own, where the task lives. */
export const createFollow = ({ places, quiet, callTimeoutMs }: Options) => {
  const listen = async (call: ClearedCall, at: Place | Connection): Promise<Outcome> => {
    await watchTask(call, isPlace(at) ? watchedPlace(at) : watchedTask(call, at, callTimeoutMs));
    return { kind: 'done', result: {}, isToolError: false };
  };

  const run = async (call: ClearedCall, ownId: string): Promise<Outcome> => {
    const { method, kept } = call;
    const at = await places.find(keyOf(call), ownId, wantOf(call, quiet, call.signal, true), kept?.state ?? {});
    if (method === 'tasks/listen') return listen(call, at);
    const outcome = isPlace(at)
      ? await sessionful[method]?.(call, at)
      : await stateless[method]?.(call, at, callTimeoutMs);
    return outcome ?? { kind: 'failed', error: { code: METHOD_NOT_FOUND, message: `Method not found: ${method}` } };
  };

  return async (call: ClearedCall): Promise<Outcome> => {
    const ownId = call.kept?.ownId ?? '';
    try {
      const outcome = await untilAborted(run(call, ownId), call.signal);
      if (isTold(call, outcome)) places.told(keyOf(call), ownId);
      return outcome;
    } catch (error) {
      const outcome = toOutcome(call.signal, call, error);
      if (isTold(call, outcome)) places.told(keyOf(call), ownId);
      return outcome;
    }
  };
};
