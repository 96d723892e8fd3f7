import type { ClearedCall, Failed, JsonObject, Outcome, Question, Reply } from '#call';
import { afterVisits, answerAll, askClient, type Send } from './asking.ts';
import type { Connection } from './connection.ts';
import { asObject, CallTimeout, RpcError, ServerUnavailable, SessionExpired } from './errors.ts';
import { createVisits, PAGE_DONE, type Visits } from './pages.ts';
import { canBeAsked, mayAsk, questionsIn } from './questions.ts';
import type { Quiet } from './quiet.ts';
import type { Hooks } from './run.ts';

export type ServerKey = { workspaceId: string; serverId: string };

/** What a call needs of a connection to a server that is told once who it serves. */
export type Want = {
  /** What the client declared. */
  capabilities: JsonObject;
  /** Whoever comes again, preferably to the same connection. */
  affinity: string;
  /** Whose call it is. */
  party: string;
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
};

/**
 * Lends a connection to the server, starting it if need be; without `want` any will do. Rejects with the reason when it
 * cannot be had.
 */
export type Use = <T>(key: ServerKey, run: (lent: Lent) => Promise<T>, want?: Want) => Promise<T>;

type Options = { use: Use; callTimeoutMs: number; quiet: Quiet };

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
const untilAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });

/** What is said to one party's calls may reach any of them. */
const partyOf = ({ sessionId, callId }: ClearedCall): string => sessionId ?? callId;

const wantOf = (call: ClearedCall, quiet: Quiet, signal: AbortSignal): Want | undefined => {
  const { client, caller, sessionId, endpoint, capability } = call;
  if (!canBeAsked(client.capabilities)) return undefined;
  const who = [caller.workspaceId, caller.kind, caller.userId, client.name, endpoint];
  return {
    capabilities: client.capabilities,
    affinity: sessionId ?? JSON.stringify(who),
    party: partyOf(call),
    isAlone: quiet.mayAsk({ ...capability, workspaceId: caller.workspaceId }),
    signal,
  };
};

/** Sends one call and carries on with it through as many rounds of questions as it takes. */
export const createExecute = ({ use, callTimeoutMs, quiet }: Options) => {
  /** Sends the call and, in its course, asks its client what the server asks. */
  const sender = (call: ClearedCall, { connection, bind }: Lent, isAskable: boolean, hooks: Hooks, visits: Visits) => {
    const onQuestion = (question: Question, signal: AbortSignal): Promise<Reply> => {
      quiet.asked({ ...call.capability, workspaceId: call.caller.workspaceId });
      if (question.method === 'roots/list') bind();
      return askClient(call, question, signal, hooks);
    };
    const onNotification = (method: string, params: JsonObject): void => {
      if (method === PAGE_DONE) visits.done(params);
      hooks.notify(method, params);
    };
    return (more: JsonObject): Promise<JsonObject> =>
      connection.request(
        call.method,
        { ...ownParams(call), ...(connection.isStateless && more) },
        {
          signal: hooks.signal,
          timeoutMs: callTimeoutMs,
          onNotification,
          clientCapabilities: call.client.capabilities,
          logLevel: call.logLevel,
          party: partyOf(call),
          ...(isAskable && { onQuestion }),
        },
      );
  };

  /** One round after the other, as long as the server answers with questions and the client can be asked at once. */
  const rounds = async (call: ClearedCall, send: Send, hooks: Hooks, first: JsonObject): Promise<Outcome> => {
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
    return { kind: 'done', result, isToolError: result.isError === true };
  };

  /** `more` goes along in the parameters: what came with a second attempt. */
  return async (call: ClearedCall, hooks: Hooks, more: JsonObject): Promise<Outcome> => {
    const want = wantOf(call, quiet, hooks.signal);
    const run = (lent: Lent) => {
      const visits = createVisits();
      const send = sender(call, lent, want !== undefined, hooks, visits);
      return rounds(call, afterVisits(call, send, hooks, visits), hooks, more);
    };
    const ask = () => use(keyOf(call), run, want);
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
