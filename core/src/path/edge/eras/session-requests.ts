import { z } from 'zod';
import type { Admitted, Ask } from '#call';
import { type Answer, createAnswer } from '../answer.ts';
import { type EdgeParts, type Reply, runMethod } from '../edge.ts';
import type { Exchange } from '../exchange.ts';
import type { RequestId } from '../ids.ts';
import { isWanted, LogLevel } from '../log-level.ts';
import { callMethods, listMethods } from '../methods.ts';
import { subscribe } from '../subscribe.ts';
import { CODE, errorMessage, faultError, notificationMessage, refuse, resultMessage } from '../wire.ts';
import type { Request } from './json-rpc.ts';
import type { createQuestions } from './session-questions.ts';
import type { OpenSessions, SessionRef } from './session-streams.ts';
import { forSessionful } from './sessionful-result.ts';

type Questions = ReturnType<typeof createQuestions>;
type Entered = { request: Request; admitted: Admitted; session: SessionRef };
/** Answers one request on its exchange. */
type Serve = (exchange: Exchange, entered: Entered) => Promise<void> | void;

const PAGE_DONE = 'notifications/elicitation/complete';
const NO_STREAM = 'The client takes no stream with this answer, so it cannot be asked.';

const refuseParams = (exchange: Exchange, id: RequestId, message: string) =>
  refuse(exchange, 200, id, { code: CODE.invalidParams, message: `Invalid params of ${message}` });

/** Requests inside a session of the revisions to 2025-11-25. */
export const createSessionRequests = (parts: EdgeParts, open: OpenSessions, questions: Questions) => {
  const { live, quietMs } = parts;

  /** Runs something that can be cancelled, and answers with what came of it. */
  const run = async (
    exchange: Exchange,
    { request: { id }, admitted, session }: Entered,
    work: (signal: AbortSignal, answer: Answer) => Promise<Reply>,
  ) => {
    const { requests } = open.of(session.id);
    if (requests.has(id)) {
      const message = `Invalid request: the id ${JSON.stringify(id)} is already in use in this session.`;
      return refuse(exchange, 200, id, { code: CODE.invalidRequest, message });
    }
    const cancelled = new AbortController();
    requests.set(id, cancelled);
    session.open += 1;
    const { remove } = live.add({ admitted, end: () => cancelled.abort() });
    const answer = createAnswer(exchange, quietMs);
    try {
      const reply = await work(cancelled.signal, answer);
      if ('cancelled' in reply) answer.abandon();
      else if ('result' in reply) answer.finish(resultMessage(id, forSessionful(reply.result)));
      else if ('error' in reply) answer.finish(errorMessage(id, reply.error));
      else throw new Error('A client with a session was to be asked by an answer.');
    } catch (error) {
      const fault = faultError(error);
      answer.fail(fault.status, errorMessage(id, fault.error));
      throw error;
    } finally {
      remove();
      requests.delete(id);
      session.open -= 1;
    }
  };

  const listOrCall: Serve = (exchange, entered) =>
    run(exchange, entered, (signal, answer) => {
      const { request, admitted, session } = entered;
      const held = open.of(session.id);
      const say = answer.notify;
      const question: Ask['question'] = (asked, until) =>
        answer.canStream
          ? questions.ask(session.id, asked, say, until)
          : Promise.resolve({ error: { code: CODE.internal, message: NO_STREAM } });
      const notify: Ask['notify'] = (method, params) => {
        const isUnwanted =
          method === 'notifications/message' && session.logLevel && !isWanted(session.logLevel, params);
        // That a page was done with is mostly known after the answer.
        if (method === PAGE_DONE && !held.requests.has(request.id)) held.say?.(notificationMessage(method, params));
        else if (!isUnwanted) say(notificationMessage(method, params));
      };
      const { id, method, params } = request;
      const { logLevel } = session;
      const resourceNotFound = CODE.resourceNotFound;
      return runMethod(parts, { id, method, params, admitted, signal, notify, question, logLevel, resourceNotFound });
    });

  const subscribeTo: Serve = (exchange, entered) =>
    run(exchange, entered, async (signal) => {
      const { request, session } = entered;
      const held = open.of(session.id);
      const { subscriptions } = held;
      const { uri } = request.params;
      const ended = new AbortController();
      const place = live.add({ admitted: entered.admitted, end: () => ended.abort() });
      ended.signal.addEventListener('abort', place.remove);
      const reply = await subscribe(parts, {
        ...request,
        admitted: place.admitted,
        resourceNotFound: CODE.resourceNotFound,
        signal: ended.signal,
        updated: (params) => held.say?.(notificationMessage('notifications/resources/updated', params)),
      });
      // A session that has ended meanwhile ends its subscriptions no more.
      if (!('result' in reply) || signal.aborted) ended.abort();
      else {
        subscriptions.get(String(uri))?.abort();
        subscriptions.set(String(uri), ended);
      }
      return reply;
    });

  const unsubscribe: Serve = (exchange, { request: { id, params }, session }) => {
    if (typeof params.uri !== 'string') return refuseParams(exchange, id, 'resources/unsubscribe: uri: say which.');
    const { subscriptions } = open.of(session.id);
    subscriptions.get(params.uri)?.abort();
    subscriptions.delete(params.uri);
    exchange.json(200, resultMessage(id, {}));
  };

  const setLevel: Serve = (exchange, { request: { id, params }, session }) => {
    const level = z.object({ level: LogLevel }).safeParse(params);
    if (!level.success)
      return refuseParams(exchange, id, `logging/setLevel: level: one of ${LogLevel.options.join(', ')}.`);
    session.logLevel = level.data.level;
    exchange.json(200, resultMessage(id, {}));
  };

  const methods: Readonly<Record<string, Serve>> = {
    ...Object.fromEntries([...Object.keys(listMethods), ...Object.keys(callMethods)].map((name) => [name, listOrCall])),
    ping: (exchange, { request: { id } }) => exchange.json(200, resultMessage(id, {})),
    'logging/setLevel': setLevel,
    'resources/subscribe': subscribeTo,
    'resources/unsubscribe': unsubscribe,
  };

  return async (exchange: Exchange, request: Request, admitted: Admitted, session: SessionRef): Promise<void> => {
    const { id, method } = request;
    const serve = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (serve) return serve(exchange, { request, admitted, session });
    refuse(exchange, 200, id, { code: CODE.methodNotFound, message: `Method not found: ${method}` });
  };
};
