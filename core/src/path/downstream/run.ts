import type { Call, JsonObject, Outcome, Question, Reply } from '#call';
import { asObject } from './errors.ts';

/** What a call that runs says and asks, wherever its client is by then. */
export type Hooks = {
  signal: AbortSignal;
  notify(method: string, params: JsonObject): void;
  onQuestion(question: Question, signal: AbortSignal): Promise<Reply>;
};

/** Of a call, who waits for it now, and how they are reached. */
export type Present = Pick<Call, 'caller' | 'address' | 'params' | 'notify' | 'signal'>;

/** What became of a call for now: it ended, or it waits for answers to these, by their keys. */
export type Next = { outcome: Outcome } | { questions: Readonly<Record<string, Question>> };

type Open = { key: string; question: Question; settle(reply: Reply): void };

/** Questions that come together are asked together. */
const GATHER_MS = 20;
/** Of what is said while nobody listens, the latest so many are kept. */
const MAX_BACKLOG = 100;
const WITHDRAWN: Reply = { error: { code: -32603, message: 'The question was withdrawn.' } };
const UNANSWERED: Reply = { error: { code: -32603, message: 'The client did not answer.' } };

/** Progress under the token of the request that waits now, which need not be the one that began the call. */
const forCall = ({ params }: Present, method: string, content: JsonObject): JsonObject | undefined => {
  if (method !== 'notifications/progress') return content;
  const token = asObject(params._meta)?.progressToken;
  return token === undefined ? undefined : { ...content, progressToken: token };
};

/**
 * A call to a server that asks in its course, for a client that is asked by the answer: each `next` waits, for one
 * request of the client's, until the call has ended or cannot go on without answers.
 */
export const createRun = (start: (hooks: Hooks) => Promise<Outcome>) => {
  const stop = new AbortController();
  let waiting: Present | undefined;
  let backlog: [method: string, params: JsonObject][] = [];
  let open: Open[] = [];
  let asked = 0;
  let wake = () => {};

  const notify = (method: string, params: JsonObject): void => {
    const content = waiting && forCall(waiting, method, params);
    if (content) waiting?.notify(method, content);
    if (!waiting) backlog = [...backlog.slice(1 - MAX_BACKLOG), [method, params]];
  };

  const onQuestion = (question: Question, signal: AbortSignal): Promise<Reply> =>
    new Promise((settle) => {
      if (signal.aborted) return settle(WITHDRAWN);
      asked += 1;
      const withdraw = () => {
        open = open.filter((other) => other !== one);
        one.settle(WITHDRAWN);
      };
      const one: Open = {
        key: `q${asked}`,
        question,
        settle(reply) {
          signal.removeEventListener('abort', withdraw);
          settle(reply);
        },
      };
      signal.addEventListener('abort', withdraw);
      open.push(one);
      wake();
    });

  const end = start({ signal: stop.signal, notify, onQuestion });
  // Whoever waits for it next hears of it.
  end.catch(() => {});

  const questionAsked = (): Promise<undefined> =>
    new Promise((done) => {
      wake = () => void setTimeout(() => done(undefined), GATHER_MS);
      if (open.length > 0) wake();
    });

  return {
    /** Waits until it has ended or needs answers. A client that leaves meanwhile ends it. */
    async next(call: Present): Promise<Next> {
      waiting = call;
      const missed = backlog;
      backlog = [];
      for (const [method, params] of missed) notify(method, params);
      const leave = () => stop.abort();
      call.signal.addEventListener('abort', leave);
      if (call.signal.aborted) leave();
      try {
        for (;;) {
          const outcome = await Promise.race([end, questionAsked()]);
          if (outcome) return { outcome };
          if (open.length > 0)
            return { questions: Object.fromEntries(open.map(({ key, question }) => [key, question])) };
        }
      } finally {
        call.signal.removeEventListener('abort', leave);
        waiting = undefined;
      }
    },

    /** Hands over answers by the keys of the questions; what is not among them is still asked. */
    answer(responses: JsonObject): void {
      const answered = open.filter(({ key }) => asObject(responses[key]) !== undefined);
      open = open.filter((one) => !answered.includes(one));
      for (const { key, settle } of answered) settle({ result: asObject(responses[key]) ?? {} });
    },

    /** Nobody came back with answers. */
    abandon(): void {
      for (const { settle } of open.splice(0)) settle(UNANSWERED);
      stop.abort();
    },
  };
};

export type Run = ReturnType<typeof createRun>;
