import type { JsonObject, Outcome, Question } from '#call';
import { failed } from './execute.ts';
import type { Parking } from './parking.ts';
import type { Present, Run } from './run.ts';

/** What became of a call for now: it ended, or it waits, in its place, for answers to these. */
export type Advanced = { outcome: Outcome } | { questions: Readonly<Record<string, Question>>; parked: string };

/** Goes on with the call that waits in a place. Undefined when none waits there any more. */
export type Advance = (parked: string, responses: JsonObject, present: Present) => Promise<Advanced | undefined>;

const FULL = failed(-32603, 'Too many calls of yours wait for answers already. Answer or abandon these first.');

/** Calls that go on until they end or wait for answers. */
export const createWaiting = (parking: Parking) => {
  const wait = async (run: Run, present: Present): Promise<Advanced> => {
    const next = await run.next(present);
    if ('outcome' in next) return next;
    const parked = parking.park(present, run);
    if (parked !== undefined) return { questions: next.questions, parked };
    run.abandon();
    return { outcome: FULL };
  };

  const advance: Advance = async (parked, responses, present) => {
    const run = parking.take(parked);
    if (!run) return undefined;
    run.answer(responses);
    return wait(run, present);
  };

  return { wait, advance };
};

export type Waiting = ReturnType<typeof createWaiting>;
