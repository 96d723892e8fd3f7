import { randomBytes } from 'node:crypto';
import type { JsonObject, Question, Reply, TaskState } from '#call';
import type { Connection } from '../connection.ts';
import type { Hooks } from '../run.ts';
import { fromSessionful, readState, withoutRelated } from './state.ts';

type Options = {
  connection: Pick<Connection, 'request' | 'followTask'>;
  taskId: string;
  callTimeoutMs: number;
  /** What the call that began it gave to be told of its progress by. */
  progressToken?: JsonObject[string] | undefined;
};

type Open = { question: Question; settle(reply: Reply): void; asker: Hooks | undefined };

const KEY_BYTES = 9;
/** Waiting for a task has no end but the task's own. */
const WAIT_MS = 24 * 3_600_000;
const INTERNAL = -32603;
const UNANSWERED: Reply = { error: { code: INTERNAL, message: 'The client did not answer.' } };
const WITHDRAWN: Reply = { error: { code: INTERNAL, message: 'The question was withdrawn.' } };

/**
 * A task of a server that asks on its connection, 2025-11-25: what it asks is kept until somebody who waits for it
 * answers, or comes for the questions.
 */
export const createPlace = ({ connection, taskId, callTimeoutMs, progressToken }: Options) => {
  const open = new Map<string, Open>();
  /** Who waits for its end and can be asked, the latest last. */
  const waiting = new Set<Hooks>();
  const listeners = new Set<() => void>();
  const over = new AbortController();
  let ending: Promise<JsonObject> | undefined;

  const changed = () => {
    for (const listener of [...listeners]) listener();
  };

  const settle = (key: string, reply: Reply): void => {
    const one = open.get(key);
    open.delete(key);
    one?.settle(reply);
    changed();
  };

  /** Asks whoever waits now. Who leaves before answering leaves the question to the next. */
  const putAll = (): void => {
    const asker = [...waiting].findLast(({ signal }) => !signal.aborted);
    for (const [key, one] of open) {
      if (!asker || one.asker) continue;
      one.asker = asker;
      void asker.onQuestion(one.question, asker.signal).then((reply) => {
        if (!asker.signal.aborted) return settle(key, reply);
        one.asker = undefined;
        putAll();
      });
    }
  };

  const onQuestion = (question: Question, signal: AbortSignal): Promise<Reply> =>
    new Promise((done) => {
      const key = `q-${randomBytes(KEY_BYTES).toString('base64url')}`;
      const asked = { ...question, params: withoutRelated(question.params) };
      open.set(key, { question: asked, settle: done, asker: undefined });
      signal.addEventListener('abort', () => settle(key, WITHDRAWN), { once: true });
      putAll();
      changed();
    });

  const onNotification = (method: string, params: JsonObject): void => {
    const isProgress = method === 'notifications/progress';
    const isStatus = method === 'notifications/tasks/status';
    if (isStatus) changed();
    if (isStatus || (isProgress && progressToken === undefined)) return;
    const content = { ...withoutRelated(params), ...(isProgress && { progressToken }) };
    for (const { notify } of waiting) notify(method, content);
  };

  const leave = connection.followTask(taskId, { onQuestion, onNotification });

  const request = (method: string, signal?: AbortSignal): Promise<JsonObject> =>
    connection.request(method, { taskId }, { timeoutMs: callTimeoutMs, signal });

  /** Its result, once it has one; asked for once, however many wait. Rejects as `Connection.request` does. */
  const finish = (): Promise<JsonObject> => {
    ending ??= connection
      .request(
        'tasks/result',
        { taskId },
        { timeoutMs: WAIT_MS, signal: over.signal, onQuestion, onNotification, isOwnAlone: true },
      )
      .then(withoutRelated)
      .finally(() => {
        ending = undefined;
        changed();
      });
    return ending;
  };

  const until = (ms: number, isEnough: () => boolean): Promise<void> =>
    new Promise((done) => {
      const look = () => {
        if (!isEnough()) return;
        listeners.delete(look);
        clearTimeout(timer);
        done();
      };
      const timer = setTimeout(() => {
        listeners.delete(look);
        done();
      }, ms);
      listeners.add(look);
      look();
    });

  return {
    async state(signal?: AbortSignal): Promise<TaskState> {
      return readState(fromSessionful(await request('tasks/get', signal)));
    },
    async cancel(signal: AbortSignal): Promise<TaskState> {
      return readState(fromSessionful(await request('tasks/cancel', signal)));
    },
    finish,

    /** What it asks now. A server asks while its result is waited for, so that is begun; then it has `ms` to ask. */
    async questions(ms: number): Promise<ReadonlyMap<string, Question>> {
      finish().catch(() => {});
      await until(ms, () => open.size > 0 || ending === undefined);
      return new Map([...open].map(([key, { question }]) => [key, question]));
    },

    isAsking: (): boolean => open.size > 0,

    /** Hands over an answer; one to what is not asked any more is nothing. */
    answer: (key: string, reply: Reply): void => settle(key, reply),

    /** Waits for its result, and is asked meanwhile. Rejects as `finish` does, or when the asker leaves. */
    async wait(asker: Hooks): Promise<JsonObject> {
      waiting.add(asker);
      const left = new Promise<never>((_, reject) => {
        const leaveNow = () => reject(asker.signal.reason);
        if (asker.signal.aborted) leaveNow();
        asker.signal.addEventListener('abort', leaveNow, { once: true });
      });
      try {
        putAll();
        return await Promise.race([finish(), left]);
      } finally {
        waiting.delete(asker);
      }
    },

    /** Calls back whenever it may have changed. Returns the function that ends it. */
    onChanged(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    /** Nobody asks for it here any more. */
    close(): void {
      leave();
      for (const key of [...open.keys()]) settle(key, UNANSWERED);
      over.abort(new Error('The task is not followed any more.'));
    },
  };
};

export type Place = ReturnType<typeof createPlace>;
