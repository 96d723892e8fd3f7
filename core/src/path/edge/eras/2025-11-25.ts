import { z } from 'zod';
import type { Caller, Client, JsonObject } from '#call';
import { readJson } from '#lib/json';
import { capabilitiesFor, type EdgeParts, type Era } from '../edge.ts';
import { acceptsJson, acceptsStream, type Exchange } from '../exchange.ts';
import { type RequestId, RequestIdShape } from '../ids.ts';
import { stepUp } from '../step-up.ts';
import { CODE, refuse, resultMessage, turnAway } from '../wire.ts';
import { type Notification, parseMessage, type Request } from './json-rpc.ts';
import { parseEventId, type StreamStore } from './resumable.ts';
import { createQuestions, type MailPort } from './session-questions.ts';
import { createSessionRequests } from './session-requests.ts';
import { createOpenSessions, type SessionRef } from './session-streams.ts';
import { taskCapability, withoutTasks } from './session-tasks.ts';
import { createSessionWatches } from './session-watches.ts';

/** Newest first: what is offered to a client that asks for one we do not know. */
const VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;
const LATEST = VERSIONS[0];

const isKnown = (version: string): boolean => VERSIONS.some((known) => known === version);

export type SessionPort = {
  create(caller: Caller, endpoint: string, client: Client, protocolVersion: string): Promise<SessionRef>;
  find(id: string, caller: Caller, endpoint: string): SessionRef | undefined;
  /** Keeps what the client has set. */
  save(session: SessionRef): Promise<void>;
  end(session: SessionRef): Promise<void>;
};

type SessionParts = EdgeParts & {
  streamStore: StreamStore;
  /** Something went wrong that no client is told. */
  onFault(error: unknown): void;
  processId: string;
  mail: MailPort;
  /** Tells other processes that a request was cancelled which is not under way here; its id is JSON. */
  cancel(sessionId: string, requestId: string): Promise<void>;
};

type Sessionful = Era & {
  /** The session is not served here any more. */
  ended(sessionId: string): void;
  /** What the client has set was changed elsewhere. */
  changed(session: SessionRef): Promise<void>;
  /** The client cancelled a request, and told another process; its id is JSON. */
  cancelled(sessionId: string, requestId: string): void;
};

const Initialize = z.looseObject({
  protocolVersion: z.string(),
  capabilities: z.looseObject({}),
  clientInfo: z.looseObject({ name: z.string(), version: z.string() }),
});
/** Longer ids are not told to other processes. */
const MAX_TOLD_ID = 1_000;
const readRequestId = (json: string): RequestId => RequestIdShape.parse(readJson(json));
const CancelledParams = z.looseObject({ requestId: RequestIdShape });

/** A request without a session is let in at the door and then told what it lacks: first who, then what. */
const NO_SESSION: Client = { name: 'unknown', version: '', capabilities: {} };

/** Protocol revisions 2024-11-05 to 2025-11-25 over Streamable HTTP: `initialize` opens a session. */
export const sessionful = (parts: SessionParts, sessions: SessionPort): Sessionful => {
  const { path, product, onFault } = parts;
  const open = createOpenSessions({
    ...parts,
    onOwnStream: (session) => void watches.restore(session).catch(onFault),
  });
  const watches = createSessionWatches(parts, open);
  const questions = createQuestions({ ...parts, timeoutMs: parts.questionTimeoutMs });
  const answerRequest = createSessionRequests(parts, { open, questions, watches, sessions });

  const initialize = async (exchange: Exchange, { id, params }: Request) => {
    const asked = Initialize.safeParse(params);
    const { clientInfo, capabilities, protocolVersion } = asked.data ?? {};
    const client: Client = {
      name: clientInfo?.name ?? 'unknown',
      version: clientInfo?.version ?? '',
      capabilities: withoutTasks((capabilities ?? {}) as JsonObject),
    };
    const admitted = await path.admit({ ...exchange.arrival, sessionId: undefined, client });
    if ('code' in admitted) return turnAway(exchange, id, admitted);
    if (!asked.success) {
      const field = asked.error.issues[0]?.path.join('.') || 'params';
      return refuse(exchange, 200, id, { code: CODE.invalidParams, message: `Invalid params of initialize: ${field}` });
    }
    const version = protocolVersion !== undefined && isKnown(protocolVersion) ? protocolVersion : LATEST;
    const session = await sessions.create(admitted.caller, exchange.arrival.endpoint, client, version);
    const result = {
      protocolVersion: version,
      capabilities: {
        ...(await capabilitiesFor(parts, admitted)),
        ...(version === LATEST && taskCapability(admitted.caller)),
      },
      serverInfo: { name: product.name, title: product.title, version: product.version },
      instructions: product.instructions,
    };
    exchange.json(200, resultMessage(id, result), { 'mcp-session-id': session.id });
  };

  /** The session and its owner, or undefined once the exchange has been answered with a refusal. */
  const enter = async (exchange: Exchange, id: RequestId | null) => {
    const sessionId = exchange.header('mcp-session-id');
    const admitted = await path.admit({ ...exchange.arrival, sessionId, client: NO_SESSION });
    if ('code' in admitted) {
      turnAway(exchange, id, admitted);
      return undefined;
    }
    const session =
      sessionId === undefined ? undefined : sessions.find(sessionId, admitted.caller, exchange.arrival.endpoint);
    if (session) return { admitted, session };
    const message = 'The header Mcp-Session-Id is missing: start with initialize, then send the id it gave.';
    refuse(exchange, 400, id, { code: CODE.invalidRequest, message });
    return undefined;
  };

  const cancelElsewhere = async ({ id }: SessionRef, requestId: string): Promise<void> => {
    if (requestId.length <= MAX_TOLD_ID) await parts.cancel(id, requestId);
  };

  const notified = async ({ method, params }: Notification, session: SessionRef): Promise<void> => {
    if (method === 'notifications/roots/list_changed')
      parts.rootsChanged(
        session.id,
        questions.onStream(session.id, () => open.sayer(session.id)),
      );
    if (method !== 'notifications/cancelled') return;
    const { data: cancelled } = CancelledParams.safeParse(params);
    if (!cancelled) return;
    const request = open.of(session.id).requests.get(cancelled.requestId);
    if (request) request.abort();
    else await cancelElsewhere(session, JSON.stringify(cancelled.requestId));
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
    const { admitted, session } = entered;
    if (message.kind === 'request' && stepUp(exchange, message, admitted)) return;
    if (message.kind === 'request') return answerRequest(exchange, message, admitted, session);
    if (message.kind === 'response') await questions.answered(session.id, message.id, message.reply);
    else await notified(message, session);
    exchange.empty(202);
  };

  const get = async (exchange: Exchange) => {
    const entered = await enter(exchange, null);
    if (!entered) return;
    if (exchange.header('accept') === undefined || !acceptsStream(exchange)) {
      const message = 'GET opens a stream: accept text/event-stream.';
      return refuse(exchange, 406, null, { code: CODE.invalidRequest, message });
    }
    const lastEventId = exchange.header('last-event-id');
    if (lastEventId === undefined) return open.openOwn(exchange, entered.admitted, entered.session);
    const at = parseEventId(lastEventId);
    if (at) return open.resume(exchange, entered.admitted, entered.session, at);
    const message = 'The Last-Event-ID is none that this server gave.';
    refuse(exchange, 400, null, { code: CODE.invalidRequest, message });
  };

  const remove = async (exchange: Exchange) => {
    const entered = await enter(exchange, null);
    if (!entered) return;
    await sessions.end(entered.session);
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

    ended(sessionId) {
      questions.ended(sessionId);
      open.ended(sessionId);
    },
    changed: watches.restore,
    cancelled: (sessionId, requestId) => open.of(sessionId).requests.get(readRequestId(requestId))?.abort(),
  };
};
