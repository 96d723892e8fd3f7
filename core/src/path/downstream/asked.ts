import { type JSONRPCMessage, SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/client';
import type { JsonObject, Question, Reply } from '#call';
import { sleep } from '#lib/sleep';
import { asObject } from './errors.ts';
import type { Pages } from './pages.ts';
import { isOwnId, type Pending } from './requests.ts';
import type { TapMessage } from './tap.ts';
import { relatedTask } from './tasks/state.ts';

/** Who hears what a task says and asks on its connection. */
export type TaskFollower = {
  onQuestion(question: Question, signal: AbortSignal): Promise<Reply>;
  onNotification(method: string, params: JsonObject): void;
};

/** Answers a question, or tells why it cannot be answered. */
export type Answer = (question: Question, signal: AbortSignal) => Promise<Reply>;

type Options = {
  /** Requests under way, by id, the latest last. */
  pending: ReadonlyMap<string, Pending>;
  /** By the server's id of the task. */
  followers: ReadonlyMap<string, TaskFollower>;
  send(message: JSONRPCMessage): Promise<void>;
  /** Is a client's first request still to come, on a connection that was opened for it? */
  isAwaited(): boolean;
  pages: Pages;
  /** What the server said that belongs to no request; a question among it has been refused. */
  onStray?: ((method: string, params: JsonObject) => void) | undefined;
  /** It asked while calls of several clients were under way, and did not say which it meant. */
  onAmbiguous?: (() => void) | undefined;
};

/** What a server may ask of a client. Anything else that is a request of its own is not for the client. */
const QUESTIONS = new Set(['elicitation/create', 'sampling/createMessage', 'roots/list']);
/** What concerns the connection as a whole, not one request. */
const OF_THE_CONNECTION = /^notifications\/((tools|prompts|resources)\/list_changed|subscriptions\/)/;
/** A server may ask as soon as it is connected to, when the request that it was connected to for is still to come. */
const FIRST_REQUEST_MS = 1_000;
/** Whoever asked waits for the answer; the others' calls end, so that in the end it is certain who asked. */
const SEVERAL_MS = 30_000;
const LOOK_MS = 10;
/** For so long after its roots have changed a client may be asked for them outside a call. */
const ROOTS_MS = 10_000;
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

/** The latest of them, if all belong to one party. */
const onlyParty = (requests: readonly Pending[]): Pending | undefined => {
  const first = requests[0]?.party;
  const isOne = requests.length === 1 || (first !== undefined && requests.every(({ party }) => party === first));
  return isOne ? requests.at(-1) : undefined;
};

/**
 * What a server says of its own accord: questions, and notifications other than progress. Each reaches the request in
 * whose course it was said, where that is certain, and nobody else.
 */
export const createAsked = (options: Options) => {
  const { pending, followers, send, isAwaited, pages, onStray, onAmbiguous } = options;
  const open = new Map<string, AbortController>();
  let roots: { answer: Answer; until: number } | undefined;

  const askable = (): Pending[] =>
    [...pending.values()].filter(({ onQuestion, isOwnAlone }) => onQuestion !== undefined && !isOwnAlone);

  /** Whom it means that asks while calls of several clients run: once the others have ended, that is certain. */
  const amongSeveral = async (signal: AbortSignal): Promise<Pending | undefined> => {
    onAmbiguous?.();
    const candidates = new Set(askable());
    for (let waited = 0; waited < SEVERAL_MS && !signal.aborted; waited += LOOK_MS) {
      await sleep(LOOK_MS, signal);
      const left = askable();
      if (!left.some((request) => candidates.has(request))) return undefined;
      const only = onlyParty(left);
      if (only) return only;
    }
    return undefined;
  };

  const first = async (signal: AbortSignal): Promise<Pending | undefined> => {
    for (let waited = 0; isAwaited() && waited < FIRST_REQUEST_MS && !signal.aborted; waited += LOOK_MS)
      await sleep(LOOK_MS, signal);
    return onlyParty(askable());
  };

  /** The request in whose course the question was asked, as soon as that is certain. */
  const asker = async (stream: string | undefined, signal: AbortSignal): Promise<Pending | undefined> => {
    if (stream !== undefined && isOwnId(stream)) {
      const own = pending.get(stream);
      return own?.onQuestion && own;
    }
    const several = askable();
    if (several.length === 0) return first(signal);
    return onlyParty(several) ?? amongSeveral(signal);
  };

  const answerTo = async ({ method }: Question, stream: string | undefined, signal: AbortSignal) => {
    const now = askable().length === 0 && method === 'roots/list' && roots;
    if (now && now.until > Date.now()) return { answer: now.answer, request: undefined };
    const request = await asker(stream, signal);
    return request?.onQuestion && { answer: request.onQuestion, request };
  };

  const replyTo = async (question: Question, stream: string | undefined, signal: AbortSignal): Promise<Reply> => {
    const found = await answerTo(question, stream, signal);
    if (!found) {
      onStray?.(question.method, question.params);
      return NOBODY;
    }
    const { answer, request } = found;
    pages.sent(question.params, request?.onNotification);
    request?.pause();
    try {
      return await answer(question, request ? AbortSignal.any([signal, request.over]) : signal);
    } catch (error) {
      const message = error instanceof Error ? error.message : 'The client could not be asked.';
      return { error: { code: INTERNAL, message } };
    } finally {
      request?.resume();
    }
  };

  /** A task may ask before whoever began it has read that there is one. */
  const followerOf = async (taskId: string, signal: AbortSignal): Promise<TaskFollower | undefined> => {
    for (let waited = 0; !followers.has(taskId) && waited < FIRST_REQUEST_MS && !signal.aborted; waited += LOOK_MS)
      await sleep(LOOK_MS, signal);
    return followers.get(taskId);
  };

  const answer = async (id: string | number, question: Question, stream: string | undefined): Promise<void> => {
    const withdrawn = new AbortController();
    const key = JSON.stringify(id);
    open.set(key, withdrawn);
    const taskId = relatedTask(question.params);
    const follower = taskId === undefined ? undefined : await followerOf(taskId, withdrawn.signal);
    const reply =
      taskId === undefined
        ? await replyTo(question, stream, withdrawn.signal)
        : ((await follower?.onQuestion(question, withdrawn.signal)) ?? NOBODY);
    if (open.get(key) === withdrawn) open.delete(key);
    // A question that was withdrawn is answered no more.
    if (!withdrawn.signal.aborted) await send({ jsonrpc: '2.0', id, ...reply } as JSONRPCMessage).catch(() => {});
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
    if (stream !== undefined && isOwnId(stream)) return pending.get(stream);
    return onlyParty(
      [...pending.values()].filter(({ onNotification, isOwnAlone }) => onNotification !== undefined && !isOwnAlone),
    );
  };

  const notified = (method: string, params: JsonObject, stream: string | undefined): void => {
    if (method === 'notifications/cancelled') {
      open.get(JSON.stringify(params.requestId))?.abort();
      return;
    }
    if (pages.done(method, params)) return;
    const heard = hearerOf(method, params, stream);
    if (heard?.onNotification) heard.onNotification(method, params);
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

    /** The server is about to hear of new roots, and may ask for them without a call under way. */
    rootsChanged(answerRoots: Answer): void {
      roots = { answer: answerRoots, until: Date.now() + ROOTS_MS };
    },

    /** Nobody is to be asked any more. */
    close(): void {
      for (const withdrawn of open.values()) withdrawn.abort();
    },
  };
};
