import { z } from 'zod';
import type { Admitted, Caller, Client, JsonObject } from '#call';
import { createAnswer } from '../answer.ts';
import { CAPABILITIES, type EdgeParts, type Era, runMethod } from '../edge.ts';
import { acceptsJson, acceptsStream, type Exchange } from '../exchange.ts';
import { type RequestId, RequestIdShape } from '../ids.ts';
import { callMethods, listMethods } from '../methods.ts';
import { CODE, errorMessage, faultError, notificationMessage, refuse, resultMessage, turnAway } from '../wire.ts';
import { parseMessage, type Request } from './json-rpc.ts';
import { createOpenSessions, type SessionRef } from './session-streams.ts';
import { forSessionful } from './sessionful-result.ts';

/** Newest first: what is offered to a client that asks for one we do not know. */
const VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;
const LATEST = VERSIONS[0];

const isKnown = (version: string): boolean => VERSIONS.some((known) => known === version);

export type SessionPort = {
  create(caller: Caller, client: Client, protocolVersion: string): SessionRef;
  find(id: string, caller: Caller): SessionRef | undefined;
  end(session: SessionRef): void;
};

const Initialize = z.looseObject({
  protocolVersion: z.string(),
  capabilities: z.looseObject({}),
  clientInfo: z.looseObject({ name: z.string(), version: z.string() }),
});
const CancelledParams = z.looseObject({ requestId: RequestIdShape });

/** A request without a session is let in at the door and then told what it lacks: first who, then what. */
const NO_SESSION: Client = { name: 'unknown', version: '', capabilities: {} };

/** Protocol revisions 2024-11-05 to 2025-11-25 over Streamable HTTP: `initialize` opens a session. */
export const sessionful = (parts: EdgeParts, sessions: SessionPort): Era & { ended(sessionId: string): void } => {
  const { path, live, product, quietMs } = parts;
  const open = createOpenSessions(parts);

  const initialize = async (exchange: Exchange, { id, params }: Request) => {
    const asked = Initialize.safeParse(params);
    const { clientInfo, capabilities, protocolVersion } = asked.data ?? {};
    const client: Client = {
      name: clientInfo?.name ?? 'unknown',
      version: clientInfo?.version ?? '',
      capabilities: (capabilities ?? {}) as JsonObject,
    };
    const admitted = await path.admit({ ...exchange.arrival, sessionId: undefined, client });
    if ('code' in admitted) return turnAway(exchange, id, admitted);
    if (!asked.success) {
      const field = asked.error.issues[0]?.path.join('.') || 'params';
      return refuse(exchange, 200, id, { code: CODE.invalidParams, message: `Invalid params of initialize: ${field}` });
    }
    const version = protocolVersion !== undefined && isKnown(protocolVersion) ? protocolVersion : LATEST;
    const session = sessions.create(admitted.caller, client, version);
    const result = {
      protocolVersion: version,
      capabilities: CAPABILITIES,
      serverInfo: { name: product.name, title: product.title, version: product.version },
      instructions: product.instructions,
    };
    exchange.json(200, resultMessage(id, result), { 'mcp-session-id': session.id });
  };

  const run = async (exchange: Exchange, { id, method, params }: Request, admitted: Admitted, session: SessionRef) => {
    const requests = open.requests(session.id);
    if (requests.has(id)) {
      const message = `Invalid request: the id ${JSON.stringify(id)} is already in use in this session.`;
      return refuse(exchange, 200, id, { code: CODE.invalidRequest, message });
    }
    const cancelled = new AbortController();
    requests.set(id, cancelled);
    session.open += 1;
    const remove = live.add({ admitted, end: () => cancelled.abort() });
    const answer = createAnswer(exchange, quietMs);
    try {
      const reply = await runMethod(parts, {
        id,
        method,
        params,
        admitted,
        signal: cancelled.signal,
        notify: (name, content) => answer.notify(notificationMessage(name, content)),
        resourceNotFound: CODE.resourceNotFound,
      });
      if ('cancelled' in reply) answer.abandon();
      else if ('error' in reply) answer.finish(errorMessage(id, reply.error));
      else answer.finish(resultMessage(id, forSessionful(reply.result)));
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

  const answerRequest = async (exchange: Exchange, request: Request, admitted: Admitted, session: SessionRef) => {
    const { id, method } = request;
    if (method === 'ping') return exchange.json(200, resultMessage(id, {}));
    if (method in listMethods || method in callMethods) return run(exchange, request, admitted, session);
    refuse(exchange, 200, id, { code: CODE.methodNotFound, message: `Method not found: ${method}` });
  };

  /** The session and its owner, or undefined once the exchange has been answered with a refusal. */
  const enter = async (exchange: Exchange, id: RequestId | null) => {
    const sessionId = exchange.header('mcp-session-id');
    const admitted = await path.admit({ ...exchange.arrival, sessionId, client: NO_SESSION });
    if ('code' in admitted) {
      turnAway(exchange, id, admitted);
      return undefined;
    }
    const session = sessionId === undefined ? undefined : sessions.find(sessionId, admitted.caller);
    if (session) return { admitted, session };
    const message = 'The header Mcp-Session-Id is missing: start with initialize, then send the id it gave.';
    refuse(exchange, 400, id, { code: CODE.invalidRequest, message });
    return undefined;
  };

  const post = async (exchange: Exchange) => {
    if (Array.isArray(exchange.body))
      return refuse(exchange, 400, null, { code: CODE.invalidRequest, message: 'JSON-RPC batches are not taken.' });
    const message = parseMessage(exchange.body);
    if (!message) {
      const text = 'The body is not a JSON-RPC 2.0 message.';
      return refuse(exchange, 400, null, { code: CODE.invalidRequest, message: text });
    }
    const id = message.kind === 'request' ? message.id : null;
    if (!acceptsJson(exchange) && !acceptsStream(exchange)) {
      const text = 'The answer is application/json or text/event-stream: accept both.';
      return refuse(exchange, 406, id, { code: CODE.invalidRequest, message: text });
    }
    if (message.kind === 'request' && message.method === 'initialize') return initialize(exchange, message);

    const entered = await enter(exchange, id);
    if (!entered) return;
    if (message.kind === 'request') return answerRequest(exchange, message, entered.admitted, entered.session);
    if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
      const cancelled = CancelledParams.safeParse(message.params);
      if (cancelled.success) open.requests(entered.session.id).get(cancelled.data.requestId)?.abort();
    }
    exchange.empty(202);
  };

  const get = async (exchange: Exchange) => {
    const entered = await enter(exchange, null);
    if (!entered) return;
    if (exchange.header('accept') === undefined || !acceptsStream(exchange)) {
      const message = 'GET opens a stream: accept text/event-stream.';
      return refuse(exchange, 406, null, { code: CODE.invalidRequest, message });
    }
    open.openStream(exchange, entered.admitted, entered.session);
  };

  const remove = async (exchange: Exchange) => {
    const entered = await enter(exchange, null);
    if (!entered) return;
    sessions.end(entered.session);
    exchange.empty(204);
  };

  const byHttpMethod: Readonly<Record<string, (exchange: Exchange) => Promise<void>>> = {
    POST: post,
    GET: get,
    DELETE: remove,
  };

  return {
    claims: () => true,

    async serve(exchange) {
      const serve = byHttpMethod[exchange.method];
      if (!serve) return exchange.empty(405, { allow: 'POST, GET, DELETE' });
      const version = exchange.header('mcp-protocol-version');
      if (version === undefined || isKnown(version)) return serve(exchange);
      const message = `Unsupported protocol version: ${version}. Supported: 2026-07-28, ${VERSIONS.join(', ')}.`;
      refuse(exchange, 400, null, { code: CODE.invalidRequest, message });
    },

    ended: open.ended,
  };
};
