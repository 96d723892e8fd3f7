import { type JSONRPCMessage, SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/client';
import type { JsonObject, Question, Reply } from '#call';
import { sleep } from '#lib/sleep';
import { asObject } from './errors.ts';
import type { Pending } from './requests.ts';
import type { TapMessage } from './tap.ts';
import { relatedTask } from './tasks/state.ts';

/** Who hears what a task says and asks on its connection. */
export type TaskFollower = {
  onQuestion(question: Question, signal: AbortSignal): Promise<Reply>;
  onNotification(method: string, params: JsonObject): void;
};

type Options = {
  /** Requests under way, by id, the latest last. */
  pending: ReadonlyMap<string, Pending>;
  /** By the server's id of the task. */
  followers: ReadonlyMap<string, TaskFollower>;
  send(message: JSONRPCMessage): Promise<void>;
  /** Was the server told of a client that can be asked? */
  isAskable: boolean;
  /** What the server said that belongs to no request; a question among it has been refused. */
  onStray?: ((method: string, params: JsonObject) => void) | undefined;
};

/** What a server may ask of a client. Anything else that is a request of its own is not for the client. */
const QUESTIONS = new Set(['elicitation/create', 'sampling/createMessage', 'roots/list']);
/** What concerns the connection as a whole, not one request. */
const OF_THE_CONNECTION = /^notifications\/((tools|prompts|resources)\/list_changed|subscriptions\/)/;
/** A server may ask as soon as it is connected to, when the request that it was connected to for is still to come. */
const FIRST_REQUEST_MS = 1_000;
const LOOK_MS = 10;
const METHOD_NOT_FOUND = -32601;
const INTERNAL = -32603;

const NOBODY: Reply = {
  error: { code: METHOD_NOT_FOUND, message: 'Nobody can be asked: no client that takes this waits for an answer.' },
};

/** The same question without the server's progress token, which is a name in its own session only. */
const withoutToken = (params: JsonObject): JsonObject => {
  const meta = asObject(params._meta);
  if (meta?.progressToken === undefined) return params;
  const { progressToken: _token, ...rest } = meta;
  return { ...params, _meta: rest };
};

/** The one that all of them belong to, or undefined when they belong to more than one party. */
const onlyParty = (requests: readonly Pending[]): Pending | undefined => {
  const first = requests[0]?.party;
  const isOne = requests.length === 1 || (first !== undefined && requests.every(({ party }) => party === first));
  return isOne ? requests.at(-1) : undefined;
};

/**
 * What a server says of its own accord: questions, and notifications other than progress. Each reaches the request in
 * whose course it was said, where that is certain, and nobody else.
 */
export const createAsked = ({ pending, followers, send, isAskable, onStray }: Options) => {
  const open = new Map<string | number, AbortController>();

  const requestFor = (stream: string | undefined): Pending | undefined =>
    stream === undefined ? undefined : pending.get(stream);

  const toAsk = (stream: string | undefined): Pending | undefined => {
    const own = requestFor(stream);
    if (own?.onQuestion) return own;
    const askable = [...pending.values()].filter(({ onQuestion, isOwnAlone }) => onQuestion && !isOwnAlone);
    const alone = askable.filter(({ isAlone }) => isAlone);
    return onlyParty(alone.length > 0 ? alone : askable);
  };

  const firstRequest = async (stream: string | undefined): Promise<Pending | undefined> => {
    for (let waited = 0; isAskable && pending.size === 0 && waited < FIRST_REQUEST_MS; waited += LOOK_MS)
      await sleep(LOOK_MS);
    return toAsk(stream);
  };

  const ask = async (request: Pending, question: Question, signal: AbortSignal): Promise<Reply> => {
    request.pause();
    try {
      const until = request.signal ? AbortSignal.any([signal, request.signal]) : signal;
      return (await request.onQuestion?.(question, until)) ?? NOBODY;
    } catch (error) {
      const message = error instanceof Error ? error.message : 'The client could not be asked.';
      return { error: { code: INTERNAL, message } };
    } finally {
      request.resume();
    }
  };

  /** A task may ask before whoever began it has read that there is one. */
  const followerOf = async (taskId: string): Promise<TaskFollower | undefined> => {
    for (let waited = 0; !followers.has(taskId) && waited < FIRST_REQUEST_MS; waited += LOOK_MS) await sleep(LOOK_MS);
    return followers.get(taskId);
  };

  const replyTo = async (question: Question, stream: string | undefined, signal: AbortSignal): Promise<Reply> => {
    const taskId = relatedTask(question.params);
    if (taskId !== undefined) return (await followerOf(taskId))?.onQuestion(question, signal) ?? NOBODY;
    const request = toAsk(stream) ?? (await firstRequest(stream));
    if (request) return ask(request, question, signal);
    onStray?.(question.method, question.params);
    return NOBODY;
  };

  const answer = async (id: string | number, question: Question, stream: string | undefined): Promise<void> => {
    const cancelled = new AbortController();
    open.set(id, cancelled);
    const reply = await replyTo(question, stream, cancelled.signal);
    open.delete(id);
    // A question that was withdrawn is answered no more.
    if (!cancelled.signal.aborted) await send({ jsonrpc: '2.0', id, ...reply } as JSONRPCMessage).catch(() => {});
  };

  /** Whoever is meant: a task's follower, the listener of a subscription, or the request in whose course it is said. */
  const hearerOf = (method: string, params: JsonObject, stream: string | undefined) => {
    const isStatus = method === 'notifications/tasks/status' && typeof params.taskId === 'string';
    const taskId = isStatus ? String(params.taskId) : relatedTask(params);
    if (taskId !== undefined) return followers.get(taskId);
    // Progress of what is under way was taken before: this is of a request that has ended.
    if (method === 'notifications/progress') return undefined;
    const listening = asObject(params._meta)?.[SUBSCRIPTION_ID_META_KEY];
    if (listening !== undefined) return pending.get(String(listening));
    return requestFor(stream) ?? onlyParty([...pending.values()].filter(({ isOwnAlone }) => !isOwnAlone));
  };

  const notified = (method: string, params: JsonObject, stream: string | undefined): void => {
    if (method === 'notifications/cancelled') {
      const { requestId } = params;
      if (typeof requestId === 'string' || typeof requestId === 'number') open.get(requestId)?.abort();
      return;
    }
    const heard = hearerOf(method, params, stream);
    if (heard) heard.onNotification?.(method, params);
    else onStray?.(method, params);
  };

  return {
    /** Takes a question or a notification that is for a client; `stream` is the request on whose stream it came. */
    take(message: TapMessage, stream: string | undefined): boolean {
      if (!('method' in message)) return false;
      const params = asObject(message.params) ?? {};
      if ('id' in message) {
        if (!QUESTIONS.has(message.method)) return false;
        void answer(message.id, { method: message.method, params: withoutToken(params) }, stream);
        return true;
      }
      if (OF_THE_CONNECTION.test(message.method)) return false;
      notified(message.method, params, stream);
      return true;
    },

    /** Nobody is to be asked any more. */
    close(): void {
      for (const cancelled of open.values()) cancelled.abort();
    },
  };
};
