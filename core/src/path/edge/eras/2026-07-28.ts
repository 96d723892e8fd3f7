import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  classifyInboundRequest,
  LOG_LEVEL_META_KEY,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Admitted, Ask, Client, JsonObject, Retry, TaskWish } from '#call';
import { type Answer, createAnswer } from '../answer.ts';
import { capabilitiesFor, type EdgeParts, type Era, type Reply, runMethod } from '../edge.ts';
import type { Exchange } from '../exchange.ts';
import { type RequestId, RequestIdShape } from '../ids.ts';
import { isWanted, LogLevel } from '../log-level.ts';
import { callMethods, InvalidParams, listMethods, taskOf } from '../methods.ts';
import { withSmallIds } from '../small-ids.ts';
import { stepUp } from '../step-up.ts';
import { knowsTasks, missingTasks, TASKS } from '../tasks.ts';
import {
  CODE,
  errorMessage,
  faultError,
  notificationMessage,
  refuse,
  resultMessage,
  turnAway,
  type WireError,
} from '../wire.ts';
import { headerMismatch } from './headers.ts';
import { listen } from './listen.ts';
import { paramMismatch } from './param-headers.ts';
import { complete, freshnessOfRead, inputRequired, STALE } from './stateless-result.ts';

const VERSION = '2026-07-28';
const NEEDS_PAGES = { requiredCapabilities: { elicitation: { url: {} } } };

const Request = z.looseObject({
  id: RequestIdShape,
  method: z.string(),
  params: z.looseObject({
    _meta: z.looseObject({
      [CLIENT_INFO_META_KEY]: z.looseObject({ name: z.string(), version: z.string() }).optional(),
      [CLIENT_CAPABILITIES_META_KEY]: z.looseObject({}).optional(),
    }),
  }),
});
type Request = z.output<typeof Request>;

const classify = (exchange: Exchange) => {
  const version = exchange.header('mcp-protocol-version');
  const method = exchange.header('mcp-method');
  const name = exchange.header('mcp-name');
  return classifyInboundRequest({
    httpMethod: exchange.method,
    ...(version !== undefined && { protocolVersionHeader: version }),
    ...(method !== undefined && { mcpMethodHeader: method }),
    ...(name !== undefined && { mcpNameHeader: name }),
    body: withSmallIds(exchange.body),
  });
};

const clientOf = ({ params: { _meta: meta } }: Request): Client => {
  const { name = 'unknown', version = '' } = meta[CLIENT_INFO_META_KEY] ?? {};
  return { name, version, capabilities: { ...(meta[CLIENT_CAPABILITIES_META_KEY] as JsonObject | undefined) } };
};

const idOf = (body: unknown): RequestId | null => {
  const id = z.looseObject({ id: RequestIdShape }).safeParse(body);
  return id.success ? id.data.id : null;
};

const ABOUT_TASKS = new Set(['tasks/get', 'tasks/update', 'tasks/cancel']);

/** What a request has to do with tasks; whoever does not know them is never given one. Throws `InvalidParams`. */
const wishOf = ({ method, params }: Request, { client }: Admitted): TaskWish | undefined => {
  if (ABOUT_TASKS.has(method)) return taskOf(method, params as JsonObject, true);
  return method === 'tools/call' && knowsTasks(client.capabilities) ? { kind: 'may' } : undefined;
};

const MAY_RETRY = new Set(['tools/call', 'prompts/get', 'resources/read']);
const RetryParams = z.looseObject({
  requestState: z.string().optional(),
  inputResponses: z.looseObject({}).optional(),
});

/** What a second attempt brings, or undefined for a first one. Throws `InvalidParams`. */
const retryOf = ({ method, params }: Request): Retry | undefined => {
  if (!MAY_RETRY.has(method) || (params.requestState === undefined && params.inputResponses === undefined))
    return undefined;
  const retry = RetryParams.safeParse(params);
  if (!retry.success) throw new InvalidParams(`Invalid params of ${method}: requestState or inputResponses`);
  return { state: retry.data.requestState, responses: (retry.data.inputResponses ?? {}) as JsonObject };
};

/** Log lines are for requests that asked for them. Throws `InvalidParams`. */
const logLevelOf = ({ params: { _meta: meta } }: Request): LogLevel | undefined => {
  const given = meta[LOG_LEVEL_META_KEY];
  if (given === undefined) return undefined;
  const level = LogLevel.safeParse(given);
  if (!level.success)
    throw new InvalidParams(`Invalid params: the log level must be one of ${LogLevel.options.join(', ')}.`);
  return level.data;
};

const discover = async (parts: EdgeParts, admitted: Admitted): Promise<JsonObject> => {
  const declared = await capabilitiesFor(parts, admitted);
  const extensions = { ...(declared.extensions as JsonObject | undefined), [TASKS]: {} };
  const capabilities = { ...declared, extensions };
  const { instructions } = parts.product;
  return complete(parts, { supportedVersions: [VERSION], capabilities, instructions }, STALE);
};

/** A server of 2025-11-25 wants a page visited, and this client declared no pages. */
const errorFor = (error: WireError): WireError =>
  error.code === CODE.urlElicitationRequired
    ? { code: CODE.missingCapability, message: error.message, data: NEEDS_PAGES }
    : error;

/** Says it on the exchange. A client that lacks a capability learns it from the HTTP status too. */
const tell = (parts: EdgeParts, request: Request, admitted: Admitted, reply: Reply, answer: Answer): void => {
  const { id } = request;
  if ('cancelled' in reply) answer.abandon();
  else if ('asks' in reply) answer.finish(resultMessage(id, inputRequired(reply.asks)));
  else if ('task' in reply) {
    const { resultType: _type, ...task } = reply.task;
    const result = complete(parts, task, undefined);
    answer.finish(resultMessage(id, request.method === 'tools/call' ? { ...result, resultType: 'task' } : result));
  } else if ('result' in reply) {
    const freshness =
      request.method === 'resources/read' ? freshnessOfRead(reply.result, admitted, retryOf(request)) : reply.freshness;
    answer.finish(resultMessage(id, complete(parts, reply.result, freshness)));
  } else {
    const error = errorFor(reply.error);
    answer.fail(error.code === CODE.missingCapability ? 400 : 200, errorMessage(id, error));
  }
};

/** Runs it with what came along with the request. Throws what is a fault rather than an answer. */
const runRequest = async (
  parts: EdgeParts,
  request: Request,
  admitted: Admitted,
  signal: AbortSignal,
  answer: Answer,
) => {
  try {
    const logLevel = logLevelOf(request);
    const notify: Ask['notify'] = (method, params) => {
      if (method === 'notifications/elicitation/complete') return;
      const isLog = method === 'notifications/message';
      if (!isLog || (logLevel && isWanted(logLevel, params))) answer.notify(notificationMessage(method, params));
    };
    return await runMethod(parts, {
      id: request.id,
      method: request.method,
      params: request.params as JsonObject,
      admitted,
      signal,
      notify,
      retry: retryOf(request),
      task: wishOf(request, admitted),
      logLevel,
      resourceNotFound: CODE.invalidParams,
    });
  } catch (error) {
    if (error instanceof InvalidParams) return { error: { code: CODE.invalidParams, message: error.message } };
    throw error;
  }
};

const run = async (parts: EdgeParts, exchange: Exchange, request: Request, admitted: Admitted) => {
  const { quietMs } = parts;
  const revoked = new AbortController();
  const { remove } = parts.live.add({ admitted, end: () => revoked.abort() });
  const answer = createAnswer(exchange, { openAfterMs: quietMs, quietMs, open: exchange.stream });
  try {
    const signal = AbortSignal.any([exchange.gone, revoked.signal]);
    const reply = await runRequest(parts, request, admitted, signal, answer);
    tell(parts, request, admitted, reply, answer);
  } catch (error) {
    const fault = faultError(error);
    answer.fail(fault.status, errorMessage(request.id, fault.error));
    throw error;
  } finally {
    remove();
  }
};

const serveRequest = async (parts: EdgeParts, exchange: Exchange, request: Request) => {
  const mismatch = headerMismatch(exchange, request);
  if (mismatch) return refuse(exchange, 400, request.id, { code: CODE.headerMismatch, message: mismatch });
  const admitted = await parts.path.admit({ ...exchange.arrival, sessionId: undefined, client: clientOf(request) });
  if ('code' in admitted) return turnAway(exchange, request.id, admitted);

  if (stepUp(exchange, request, admitted)) return;
  const unlike = paramMismatch(exchange, request, () => parts.shownTools(admitted));
  if (unlike) return refuse(exchange, 400, request.id, { code: CODE.headerMismatch, message: unlike });

  const { method } = request;
  if (method === 'server/discover')
    return exchange.json(200, resultMessage(request.id, await discover(parts, admitted)));
  if (method === 'subscriptions/listen') return listen(parts, exchange, request, admitted);
  if (ABOUT_TASKS.has(method) && !knowsTasks(admitted.client.capabilities))
    return refuse(exchange, 400, request.id, missingTasks);
  if (ABOUT_TASKS.has(method) || method in listMethods || (method in callMethods && method !== 'resources/subscribe'))
    return run(parts, exchange, request, admitted);
  refuse(exchange, 404, request.id, { code: CODE.methodNotFound, message: `Method not found: ${method}` });
};

/** Protocol revision 2026-07-28: stateless, one POST a request, each naming its version, client and capabilities. */
export const stateless = (parts: EdgeParts): Era => ({
  claims: (exchange) => classify(exchange).kind !== 'legacy',

  async serve(exchange) {
    const route = classify(exchange);
    if (route.kind === 'legacy') throw new Error('An exchange was served by an era that does not claim it.');
    if (route.kind === 'reject') {
      const { httpStatus, code, message } = route;
      return refuse(exchange, httpStatus, idOf(exchange.body), { code, message });
    }
    if (route.messageKind === 'notification') return exchange.empty(202);
    const requested = route.classification.revision;
    if (requested !== undefined && requested !== VERSION) {
      const data = { supported: [VERSION], requested };
      const message = `Unsupported protocol version: ${requested}`;
      return refuse(exchange, 400, idOf(exchange.body), { code: CODE.unsupportedVersion, message, data });
    }
    return serveRequest(parts, exchange, Request.parse(exchange.body));
  },
});
