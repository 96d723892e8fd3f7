import { type Call, isOver, type JsonObject, type KeptTask, type Outcome, type Reply } from '#call';

const INVALID_PARAMS = -32602;
const CANCELLED = -32000;

const done = (result: JsonObject): Outcome => ({ kind: 'done', result, isToolError: false });
const failed = (code: number, message: string): Outcome => ({ kind: 'failed', error: { code, message } });

const outcomeOf = (ending: Reply | undefined): Outcome => {
  if (!ending) return failed(CANCELLED, 'The task was cancelled.');
  if ('error' in ending) return { kind: 'failed', error: ending.error };
  return { kind: 'done', result: ending.result, isToolError: ending.result.isError === true };
};

/**
 * What can be said of a task without asking its server: one whose end Peta holds, and one that was cancelled, which
 * stays so whatever its server still makes of it.
 */
export const settledOutcome = (call: Call, { handle, state, ending }: KeptTask): Outcome | undefined => {
  if (!ending && state.status !== 'cancelled') return undefined;
  const isDetailed = call.task?.kind === 'about' && call.task.isDetailed;
  switch (call.method) {
    case 'tasks/get':
      return { kind: 'task', task: { ...state, ...(isDetailed && ending), taskId: handle } };
    case 'tasks/result':
      return outcomeOf(ending);
    case 'tasks/cancel':
      return isDetailed || !isOver(state)
        ? done({})
        : failed(INVALID_PARAMS, `The task cannot be cancelled: it is ${state.status}.`);
    default:
      return done({});
  }
};
