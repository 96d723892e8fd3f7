import { z } from 'zod';
import { type Admitted, type Ask, isOver, type JsonObject } from '#call';
import { type Answer, createAnswer } from '../answer.ts';
import { type EdgeParts, type Reply, runMethod } from '../edge.ts';
import type { Exchange } from '../exchange.ts';
import { followTask } from '../follow-task.ts';
import type { RequestId } from '../ids.ts';
import { isWanted, LogLevel } from '../log-level.ts';
import { callMethods, InvalidParams, listMethods } from '../methods.ts';
import { subscribe } from '../subscribe.ts';
import { CODE, errorMessage, faultError, notificationMessage, refuse, resultMessage } from '../wire.ts';
import type { Request } from './json-rpc.ts';
import type { createQuestions } from './session-questions.ts';
import type { OpenSessions, SessionRef } from './session-streams.ts';
import { forSession, mayListTasks, related, sessionfulTask, wishOf } from './session-tasks.ts';

type Questions = ReturnType<typeof createQuestions>;
type Entered = { request: Request; admitted: Admitted; session: SessionRef };
/** Answers one request on its exchange. */
type Serve = (exchange: Exchange, entered: Entered) => Promise<void> | void;

const NO_STREAM = 'The client takes no stream with this answer, so it cannot be asked.';

/** All but `tasks/list`, which is not for everybody. */
const TASK_METHODS = ['tasks/get', 'tasks/result', 'tasks/cancel'];

const refuseParams = (exchange: Exchange, id: RequestId, message: string) =>
  refuse(exchange, 200, id, { code: CODE.invalidParams, message: `Invalid params of ${message}` });

const refuseMethod = (exchange: Exchange, { id, method }: Request) =>
  refuse(exchange, 200, id, { code: CODE.methodNotFound, message: `Method not found: ${method}` });

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

  /** Tells the session, on its stream of changes if it has one, how its task goes. */
  const followFor = ({ request, admitted, session }: Entered, handle: string) => {
    const ended = new AbortController();
    const opened = open.of(session.id);
    if (!opened.say) return;
    const place = live.add({ admitted, end: () => ended.abort() });
    opened.subscriptions.set(`task ${handle}`, ended);
    ended.signal.addEventListener('abort', () => {
      place.remove();
      opened.subscriptions.delete(`task ${handle}`);
    });
    void followTask(parts, {
      id: request.id,
      handle,
      isDetailed: false,
      admitted: place.admitted,
      signal: ended.signal,
      changed: (task) => {
        opened.say?.(notificationMessage('notifications/tasks/status', sessionfulTask(task)));
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
        if (!isUnwanted) say(notificationMessage(told, ofTask(content)));
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
      const { request, session } = entered;
      const { subscriptions } = open.of(session.id);
      const { uri } = request.params;
      const ended = new AbortController();
      const place = live.add({ admitted: entered.admitted, end: () => ended.abort() });
      ended.signal.addEventListener('abort', place.remove);
      const reply = await subscribe(parts, {
        ...request,
        admitted: place.admitted,
        resourceNotFound: CODE.resourceNotFound,
        signal: ended.signal,
        updated: (params) => open.of(session.id).say?.(notificationMessage('notifications/resources/updated', params)),
      });
      if (!('result' in reply)) ended.abort();
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
