import type { ClearedCall, Failed, JsonObject, Outcome, Question, Reply } from '#call';
import { afterVisits, answerAll, askClient, type Send } from './asking.ts';
import type { Connection } from './connection.ts';
import { asObject, CallTimeout, RpcError, ServerUnavailable, SessionExpired } from './errors.ts';
import { createVisits, PAGE_DONE, type Visits } from './pages.ts';
import { canBeAsked, mayAsk, questionsIn } from './questions.ts';
import type { Quiet } from './quiet.ts';
import type { Hooks } from './run.ts';
import { endOf, isForTask, type Support, taskParams, withTasks } from './tasks/wish.ts';

export type ServerKey = { workspaceId: string; serverId: string };

/** What a call needs of a connection to a server that is told once who it serves. */
export type Want = {
  /** What the client declared. */
  capabilities: JsonObject;
  /** Whoever comes again, preferably to the same connection. */
  affinity: string;
  /** Whose call it is. */
  party: string;
  /** Whose it counts as where connections are scarce: a person, or everybody without a name. */
  owner: string;
  /** The call may ask, so that nobody else's may be on the connection meanwhile. */
  isAlone: boolean;
  /** Whoever leaves waits for no connection. */
  signal: AbortSignal;
};

/** A connection for the time of one call. */
export type Lent = {
  connection: Connection;
  /** From now on the connection is for whoever came with this affinity alone. */
  bind(): void;
  /** From now on the connection stays open, also when nobody uses it, until the returned function is called. */
  keep(): () => void;
};

/**
 * Lends a connection to the server, starting it if need be; without `want` any will do. Rejects with the reason when it
 * cannot be had.
 */
export type Use = <T>(key: ServerKey, run: (lent: Lent) => Promise<T>, want?: Want) => Promise<T>;

/** As `Use`, for a call that may begin a task: then the connection is kept for it. */
export type LendForTask = (
  key: ServerKey,
  run: (lent: Lent) => Promise<Outcome>,
  want: Want | undefined,
  progressToken: JsonObject[string],
) => Promise<Outcome>;

type Options = { use: Use; lendForTask: LendForTask; support: Support; callTimeoutMs: number; quiet: Quiet };
/** Sends the call, with what goes along in the parameters, and says what an answer that ends it means. */
type Sender = { send: Send; end(result: JsonObject): Outcome };

const TIMEOUT = -32001;
const INTERNAL = -32603;
const MAX_ROUNDS = 32;

export const failed = (code: number, message: string): Failed => ({ kind: 'failed', error: { code, message } });

export const keyOf = ({ caller, capability }: ClearedCall): ServerKey => ({
  workspaceId: caller.workspaceId,
  serverId: capability.serverId,
});

/** The call's parameters with the server's own name for the capability, and without what is for Peta. */
const ownParams = ({ method, params, capability: { name } }: ClearedCall): JsonObject => {
  const { requestState: _state, inputResponses: _responses, ...rest } = params;
  switch (method) {
    case 'resources/read':
      return { ...rest, uri: name };
    case 'completion/complete': {
      const ref = asObject(rest.ref) ?? {};
      return { ...rest, ref: ref.type === 'ref/resource' ? { ...ref, uri: name } : { ...ref, name } };
    }
    case 'tools/call': {
      const { task: _task, ...own } = rest;
      return { ...own, name };
    }
    default:
      return { ...rest, name };
  }
};

/** What the caller is told of a failure. Rethrows what is a fault of ours. */
export const toOutcome = (signal: AbortSignal, { capability: { serverId } }: ClearedCall, error: unknown): Outcome => {
  if (signal.aborted) return { kind: 'cancelled' };
  if (error instanceof RpcError)
    return { kind: 'failed', error: { code: error.code, message: error.message, data: error.data } };
  if (error instanceof CallTimeout)
    return failed(
      TIMEOUT,
      `The server ${serverId}: ${error.message} The call was cancelled; it may have had an effect.`,
    );
  if (error instanceof ServerUnavailable)
    return failed(
      INTERNAL,
      `The server ${serverId} is not available: ${error.message} An administrator can see its log.`,
    );
  throw error;
};

/** The same promise, which rejects as soon as the signal aborts. */
export const untilAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });

/** What is said to one party's calls may reach any of them. */
const partyOf = ({ sessionId, callId }: ClearedCall): string => sessionId ?? callId;

/** What the call needs of a connection. A task's own questions say whose they are, so it need not be alone. */
export const wantOf = (call: ClearedCall, quiet: Quiet, signal: AbortSignal, isTask: boolean): Want | undefined => {
  const { client, caller, sessionId, endpoint, capability } = call;
  if (!canBeAsked(client.capabilities)) return undefined;
  const who = [caller.workspaceId, caller.kind, caller.userId, client.name, endpoint];
  return {
    capabilities: client.capabilities,
    affinity: sessionId ?? JSON.stringify(who),
    party: partyOf(call),
    owner: JSON.stringify([caller.workspaceId, caller.kind, caller.userId]),
    isAlone: !isTask && quiet.mayAsk({ ...capability, workspaceId: caller.workspaceId }),
    signal,
  };
};

/** Sends one call and carries on with it through as many rounds of questions as it takes. */
export const createExecute = ({ use, lendForTask, support, callTimeoutMs, quiet }: Options) => {
  /** Sends the call and, in its course, asks its client what the server asks. */
  const sender = (call: ClearedCall, { connection, bind }: Lent, isAskable: boolean, hooks: Hooks, visits: Visits) => {
    const forTask = taskParams(call, connection, support);
    const onQuestion = (question: Question, signal: AbortSignal): Promise<Reply> => {
      quiet.asked({ ...call.capability, workspaceId: call.caller.workspaceId });
      if (question.method === 'roots/list') bind();
      return askClient(call, question, signal, hooks);
    };
    const onNotification = (method: string, params: JsonObject): void => {
      if (method === PAGE_DONE) visits.done(params);
      hooks.notify(method, params);
    };
    const send: Send = (more) =>
      connection.request(
        call.method,
        { ...ownParams(call), ...forTask, ...(connection.isStateless && more) },
        {
          signal: hooks.signal,
          timeoutMs: callTimeoutMs,
          onNotification,
          clientCapabilities: withTasks(call),
          logLevel: call.logLevel,
          party: partyOf(call),
          ...(isAskable && { onQuestion }),
        },
      );
    const end: Sender['end'] = (result) => endOf(call, connection, 'task' in forTask, result);
    return { send, end };
  };

  /** One round after the other, as long as the server answers with questions and the client can be asked at once. */
  const rounds = async (
    call: ClearedCall,
    { send, end }: Sender,
    hooks: Hooks,
    first: JsonObject,
  ): Promise<Outcome> => {
    const { serverId } = call.capability;
    let result = await send(first);
    for (let round = 0; result.resultType === 'input_required'; round += 1) {
      const questions = questionsIn(result.inputRequests);
      const state = typeof result.requestState === 'string' ? result.requestState : undefined;
      if (!questions || round >= MAX_ROUNDS)
        return failed(INTERNAL, `The server ${serverId} asks without end, or for what no client can be asked.`);
      const undeclared = Object.values(questions).find((question) => !mayAsk(call.client.capabilities, question));
      if (undeclared)
        return failed(
          INTERNAL,
          `The server ${serverId} asks for ${undeclared.method}, which this client does not take.`,
        );
      if (!call.question) return { kind: 'asks', questions, state };
      const answered = await answerAll(call, questions, hooks);
      if ('error' in answered) return { kind: 'failed', error: answered.error };
      result = await send({ inputResponses: answered.responses, ...(state !== undefined && { requestState: state }) });
    }
    return end(result);
  };

  /** `more` goes along in the parameters: what came with a second attempt. */
  return async (call: ClearedCall, hooks: Hooks, more: JsonObject): Promise<Outcome> => {
    const isTask = isForTask(call, support);
    const want = wantOf(call, quiet, hooks.signal, isTask);
    const run = async (lent: Lent): Promise<Outcome> => {
      const visits = createVisits();
      const { send, end } = sender(call, lent, want !== undefined, hooks, visits);
      return rounds(call, { send: afterVisits(call, send, hooks, visits), end }, hooks, more);
    };
    const token = asObject(call.params._meta)?.progressToken;
    const ask = () => (isTask ? lendForTask(keyOf(call), run, want, token) : use(keyOf(call), run, want));
    try {
      // A server that has forgotten its session did not read the call: ask once more, on a new one.
      const answer = ask().catch((error: unknown) => {
        if (error instanceof SessionExpired) return ask();
        throw error;
      });
      // A caller who leaves does not wait for a server that is still starting.
      const outcome = await untilAborted(answer, hooks.signal);
      const isWell = outcome.kind === 'done' && !outcome.isToolError;
      if (want && isWell) quiet.succeeded({ ...call.capability, workspaceId: call.caller.workspaceId });
      return outcome;
    } catch (error) {
      return toOutcome(hooks.signal, call, error);
    }
  };
};
