import { z } from 'zod';
import { type Admitted, type Ask, isOver, type JsonObject } from '#call';
import { type Answer, createAnswer } from '../answer.ts';
import { type EdgeParts, type Reply, runMethod } from '../edge.ts';
import type { Exchange } from '../exchange.ts';
import { followTask } from '../follow-task.ts';
import type { RequestId } from '../ids.ts';
import { isWanted, LogLevel } from '../log-level.ts';
import { callMethods, InvalidParams, listMethods } from '../methods.ts';
import { CODE, errorMessage, faultError, notificationMessage, refuse, resultMessage } from '../wire.ts';
import type { Request } from './json-rpc.ts';
import type { createQuestions } from './session-questions.ts';
import type { OpenSessions, SessionRef } from './session-streams.ts';
import { forSession, mayListTasks, related, sessionfulTask, wishOf } from './session-tasks.ts';
import type { Watches } from './session-watches.ts';

type Questions = ReturnType<typeof createQuestions>;
type Kept = { save(session: SessionRef): Promise<void> };
type Entered = { request: Request; admitted: Admitted; session: SessionRef };
/** Answers one request on its exchange. */
type Serve = (exchange: Exchange, entered: Entered) => Promise<void> | void;

/** A call that takes longer has a stream, to which a client that loses its connection can come back. */
const OPEN_AFTER_MS = 250;
const PAGE_DONE = 'notifications/elicitation/complete';
const NO_STREAM = 'The client takes no stream with this answer, so it cannot be asked.';

/** All but `tasks/list`, which is not for everybody. */
const TASK_METHODS = ['tasks/get', 'tasks/result', 'tasks/cancel'];

const refuseParams = (exchange: Exchange, id: RequestId, message: string) =>
  refuse(exchange, 200, id, { code: CODE.invalidParams, message: `Invalid params of ${message}` });

const refuseMethod = (exchange: Exchange, { id, method }: Request) =>
  refuse(exchange, 200, id, { code: CODE.methodNotFound, message: `Method not found: ${method}` });

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
      else if ('result' in reply) answer.finish(resultMessage(id, reply.result));
      else if ('error' in reply) answer.finish(errorMessage(id, reply.error));
      else throw new Error('A client with a session was to be asked by an answer.');
    } catch (error) {
      if (error instanceof InvalidParams)
        return answer.finish(errorMessage(id, { code: CODE.invalidParams, message: error.message }));
      const fault = faultError(error);
      answer.fail(fault.status, errorMessage(id, fault.error));
      throw error;
    } finally {
      remove();
      requests.delete(id);
      session.open -= 1;
    }
  };

  /** Tells the session, on its own stream if it has one, how its task goes. */
  const followFor = ({ request, admitted, session }: Entered, handle: string) => {
    if (!open.sayer(session.id)) return;
    const { followed } = open.of(session.id);
    const ended = new AbortController();
    const place = live.add({ admitted, end: () => ended.abort() });
    followed.set(handle, ended);
    ended.signal.addEventListener('abort', () => {
      place.remove();
      followed.delete(handle);
    });
    void followTask(parts, {
      id: request.id,
      handle,
      isDetailed: false,
      admitted: place.admitted,
      signal: ended.signal,
      changed: (task) => {
        open.sayer(session.id)?.(notificationMessage('notifications/tasks/status', sessionfulTask(task)));
        if (isOver(task)) ended.abort();
      },
    }).catch(() => ended.abort());
  };

  const listOrCall: Serve = (exchange, entered) =>
    run(exchange, entered, async (signal, answer) => {
      const { request, admitted, session } = entered;
      const { id, method, params } = request;
      const task = wishOf(method, params);
      /** What is said while a task's result is waited for says that it belongs to the task. */
      const ofTask = (content: JsonObject): JsonObject =>
        method === 'tasks/result' && task?.kind === 'about' ? related(content, task.handle) : content;
      const say = answer.notify;
      const question: Ask['question'] = (asked, until) =>
        answer.canStream
          ? questions.ask(session.id, { ...asked, params: ofTask(asked.params) }, say, until)
          : Promise.resolve({ error: { code: CODE.internal, message: NO_STREAM } });
      const notify: Ask['notify'] = (told, content) => {
        const isUnwanted = told === 'notifications/message' && session.logLevel && !isWanted(session.logLevel, content);
        // That a page was done with is mostly known after the answer.
        if (told === PAGE_DONE && !open.of(session.id).requests.has(id))
          open.sayer(session.id)?.(notificationMessage(told, content));
        else if (!isUnwanted) say(notificationMessage(told, ofTask(content)));
      };
      const { logLevel } = session;
      const resourceNotFound = CODE.resourceNotFound;
      const running = { id, method, params, admitted, signal, notify, question, task, logLevel, resourceNotFound };
      const reply = await runMethod(parts, running);
      if ('task' in reply && method === 'tools/call') followFor(entered, reply.task.taskId);
      return forSession(method, task, reply);
    });

  const listTasks: Serve = (exchange, entered) =>
    mayListTasks(entered.admitted.caller) ? listOrCall(exchange, entered) : refuseMethod(exchange, entered.request);

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

  const plain = [...Object.keys(listMethods), ...Object.keys(callMethods), ...TASK_METHODS];
  const methods: Readonly<Record<string, Serve>> = {
    ...Object.fromEntries(plain.map((name) => [name, listOrCall])),
    'tasks/list': listTasks,
    ping: (exchange, { request: { id } }) => exchange.json(200, resultMessage(id, {})),
    'logging/setLevel': setLevel,
    'resources/subscribe': subscribeTo,
    'resources/unsubscribe': unsubscribe,
  };

  return async (exchange: Exchange, request: Request, admitted: Admitted, session: SessionRef): Promise<void> => {
    const { method } = request;
    const serve = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (serve) return serve(exchange, { request, admitted, session });
    refuseMethod(exchange, request);
  };
};
