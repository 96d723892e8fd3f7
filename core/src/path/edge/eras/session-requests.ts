import { z } from 'zod';
import type { Admitted, Ask } from '#call';
import { type Answer, createAnswer } from '../answer.ts';
import { type EdgeParts, type Reply, runMethod } from '../edge.ts';
import type { Exchange } from '../exchange.ts';
import type { RequestId } from '../ids.ts';
import { isWanted, LogLevel } from '../log-level.ts';
import { callMethods, listMethods } from '../methods.ts';
import { CODE, errorMessage, faultError, notificationMessage, refuse, resultMessage } from '../wire.ts';
import type { Request } from './json-rpc.ts';
import type { createQuestions } from './session-questions.ts';
import type { OpenSessions, SessionRef } from './session-streams.ts';
import type { Watches } from './session-watches.ts';
import { forSessionful } from './sessionful-result.ts';

type Questions = ReturnType<typeof createQuestions>;
type Kept = { save(session: SessionRef): Promise<void> };
type Entered = { request: Request; admitted: Admitted; session: SessionRef };
/** Answers one request on its exchange. */
type Serve = (exchange: Exchange, entered: Entered) => Promise<void> | void;

/** A call that takes longer has a stream, to which a client that loses its connection can come back. */
const OPEN_AFTER_MS = 250;
const PAGE_DONE = 'notifications/elicitation/complete';
const NO_STREAM = 'The client takes no stream with this answer, so it cannot be asked.';

const refuseParams = (exchange: Exchange, id: RequestId, message: string) =>
  refuse(exchange, 200, id, { code: CODE.invalidParams, message: `Invalid params of ${message}` });

/** Requests inside a session of the revisions to 2025-11-25. */
export const createSessionRequests = (
  parts: EdgeParts,
  {
    open,
    questions,
    watches,
    sessions,
  }: { open: OpenSessions; questions: Questions; watches: Watches; sessions: Kept },
) => {
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
    const answer = createAnswer(exchange, {
      openAfterMs: OPEN_AFTER_MS,
      quietMs,
      open: () => open.forRequest(exchange, session, id),
    });
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
      const say = answer.notify;
      const question: Ask['question'] = (asked, until) =>
        answer.canStream
          ? questions.ask(session.id, asked, say, until)
          : Promise.resolve({ error: { code: CODE.internal, message: NO_STREAM } });
      const notify: Ask['notify'] = (method, params) => {
        const isUnwanted =
          method === 'notifications/message' && session.logLevel && !isWanted(session.logLevel, params);
        // That a page was done with is mostly known after the answer.
        if (method === PAGE_DONE && !open.of(session.id).requests.has(request.id))
          open.sayer(session.id)?.(notificationMessage(method, params));
        else if (!isUnwanted) say(notificationMessage(method, params));
      };
      const { id, method, params } = request;
      const { logLevel } = session;
      const resourceNotFound = CODE.resourceNotFound;
      return runMethod(parts, { id, method, params, admitted, signal, notify, question, logLevel, resourceNotFound });
    });

  const subscribeTo: Serve = (exchange, entered) =>
    run(exchange, entered, async () => {
      const { request, session, admitted } = entered;
      const reply = await watches.add(session, admitted, request);
      const { uri } = request.params;
      if ('result' in reply && typeof uri === 'string' && !session.subscriptions.includes(uri)) {
        session.subscriptions = [...session.subscriptions, uri];
        await sessions.save(session);
      }
      return reply;
    });

  const unsubscribe: Serve = async (exchange, { request: { id, params }, session }) => {
    const { uri } = params;
    if (typeof uri !== 'string') return refuseParams(exchange, id, 'resources/unsubscribe: uri: say which.');
    watches.remove(session, uri);
    session.subscriptions = session.subscriptions.filter((other) => other !== uri);
    await sessions.save(session);
    exchange.json(200, resultMessage(id, {}));
  };

  const setLevel: Serve = async (exchange, { request: { id, params }, session }) => {
    const level = z.object({ level: LogLevel }).safeParse(params);
    if (!level.success)
      return refuseParams(exchange, id, `logging/setLevel: level: one of ${LogLevel.options.join(', ')}.`);
    session.logLevel = level.data.level;
    await sessions.save(session);
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
