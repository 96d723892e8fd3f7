import type { ClearedCall, JsonObject, Outcome } from '#call';
import { createExecute, failed, keyOf, type ServerKey, toOutcome, type Use } from './execute.ts';
import { canBeAsked } from './questions.ts';
import type { Quiet } from './quiet.ts';
import { createRun, type Present } from './run.ts';
import { createFollow } from './tasks/follow.ts';
import { createPlaces } from './tasks/places.ts';
import type { Support } from './tasks/wish.ts';
import type { Tickets } from './tickets.ts';
import type { Advanced, Waiting } from './waiting.ts';

type Options = {
  use: Use;
  /** Calls back when the resource changes, until the signal aborts. Rejects as a request does. */
  watch(key: ServerKey, uri: string, listener: () => void, signal: AbortSignal): Promise<void>;
  /** Whether a tool must or may be a task, as its server lists it. */
  support: Support;
  callTimeoutMs: number;
  tickets: Tickets;
  waiting: Waiting;
  /** Goes on with a call that waits in another process. */
  elsewhere(at: string, parked: string, responses: JsonObject, call: Present): Promise<Advanced | undefined>;
  quiet: Quiet;
  /** Names this process among those that serve the same clients. */
  processId: string;
};

const INVALID_PARAMS = -32602;
const INTERNAL = -32603;

const INVALID_STATE = failed(
  INVALID_PARAMS,
  'Invalid params: the requestState is not one of this call, or it is too old. Make the call anew.',
);
const GONE = failed(
  INVALID_PARAMS,
  'Invalid params: the call that this requestState stands for has ended or was answered already. Make it anew.',
);
const NOBODY = failed(INTERNAL, 'The client cannot be asked.');

/** Sends cleared calls to their servers, and carries what these ask back. */
export const createDownstream = (options: Options) => {
  const { watch, tickets, waiting, elsewhere, processId } = options;
  const places = createPlaces(options);
  const execute = createExecute({ ...options, lendForTask: places.lend });
  const aboutTask = createFollow({ ...options, places });

  /** What a client that is asked by the answer is told: how the call ended, or questions, and what to come again with. */
  const told = (call: ClearedCall, advanced: Advanced, at: string): Outcome => {
    if ('questions' in advanced) {
      const { questions, parked } = advanced;
      return { kind: 'asks', questions, state: tickets.seal(call, { parked, at }) };
    }
    const { outcome } = advanced;
    if (outcome.kind !== 'asks' || outcome.state === undefined) return outcome;
    return { ...outcome, state: tickets.seal(call, { server: outcome.state }) };
  };

  const begin = async (call: ClearedCall, more: JsonObject): Promise<Outcome> => {
    const { signal, notify, question, client } = call;
    if (question) return execute(call, { signal, notify, onQuestion: question }, more);
    if (!canBeAsked(client.capabilities))
      return execute(call, { signal, notify, onQuestion: async () => ({ error: NOBODY.error }) }, more);
    const run = createRun((hooks) => execute(call, hooks, more));
    return told(call, await waiting.wait(run, call), processId);
  };

  const resume = async (call: ClearedCall, state: string, responses: JsonObject): Promise<Outcome> => {
    const kept = tickets.open(call, state);
    if (!kept) return INVALID_STATE;
    if ('server' in kept) return begin(call, { inputResponses: responses, requestState: kept.server });
    const { parked, at } = kept;
    const advanced =
      at === processId ? await waiting.advance(parked, responses, call) : await elsewhere(at, parked, responses, call);
    return advanced ? told(call, advanced, at) : GONE;
  };

  const subscribe = async (call: ClearedCall): Promise<Outcome> => {
    const updated = () => call.notify('notifications/resources/updated', { uri: call.exposedName });
    try {
      await watch(keyOf(call), call.capability.name, updated, call.signal);
      return { kind: 'done', result: {}, isToolError: false };
    } catch (error) {
      return toOutcome(call.signal, call, error);
    }
  };

  return {
    /** What the server made of the call. A call that comes again with answers goes on where it was. */
    async send(call: ClearedCall): Promise<Outcome> {
      if (call.method === 'resources/subscribe') return subscribe(call);
      if (call.task?.kind === 'about') return aboutTask(call);
      const { state, responses = {} } = call.retry ?? {};
      if (state !== undefined) return resume(call, state, responses);
      return begin(call, Object.keys(responses).length > 0 ? { inputResponses: responses } : {});
    },
  };
};
