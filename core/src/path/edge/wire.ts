import type { Ask, CapabilityKind, Failed, Json, Refused } from '#call';
import { Unavailable } from '#lib/unavailable';
import { challengeOf } from './challenge.ts';
import type { Exchange, Message } from './exchange.ts';
import { isRequestId, type RequestId } from './ids.ts';

export type { Message } from './exchange.ts';

/** JSON-RPC 2.0 and MCP error codes that Peta itself answers with. */
export const CODE = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** Implementation-defined by JSON-RPC: not let in, session gone, not now. */
  notAdmitted: -32001,
  /** 2025-11-25 and earlier. */
  resourceNotFound: -32002,
  refused: -32003,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
  /** 2025-11-25. */
  urlElicitationRequired: -32042,
} as const;

export type WireError = { code: number; message: string; data?: Json | undefined };

export const errorMessage = (id: RequestId | null, { code, message, data }: WireError): Message => ({
  jsonrpc: '2.0',
  id,
  error: { code, message, ...(data !== undefined && { data }) },
});

export const resultMessage = (id: RequestId, result: Record<string, unknown>): Message => ({
  jsonrpc: '2.0',
  id,
  result,
});

export const notificationMessage = (method: string, params: Record<string, unknown>): Message => ({
  jsonrpc: '2.0',
  method,
  params,
});

/** Answers with a JSON-RPC error under an HTTP status. */
export const refuse = (
  exchange: Exchange,
  status: number,
  id: RequestId | null,
  error: WireError,
  headers?: Record<string, string>,
) => exchange.json(status, errorMessage(id, error), headers);

/** Somebody who is not let in: the door's answer, the same in every era. */
export const turnAway = (exchange: Exchange, id: RequestId | null, { code, reason }: Refused) => {
  const error = { code: CODE.notAdmitted, message: reason };
  switch (code) {
    case 'unknown-session':
    case 'unknown-endpoint':
      return refuse(exchange, 404, id, error);
    case 'wrong-endpoint':
      return refuse(exchange, 403, id, error);
    case 'rate-limited':
      return refuse(exchange, 429, id, error);
    default: {
      const { arrival, resourceMetadata } = exchange;
      const challenge = challengeOf(resourceMetadata, arrival.bearer === undefined ? undefined : 'invalid_token');
      return refuse(exchange, 401, id, error, { 'www-authenticate': challenge });
    }
  }
};

const NOUN: Record<CapabilityKind, string> = { tool: 'tool', resource: 'resource', prompt: 'prompt' };

const UNKNOWN_TASK: WireError = {
  code: CODE.invalidParams,
  message: 'Unknown task: there is none of this id, or it has expired.',
};

/** A call that was refused after the door. Hidden and unknown are one answer. */
export const refusalError = (
  refused: Refused,
  kind: CapabilityKind,
  exposedName: string,
  resourceNotFound: number,
): WireError => {
  if (refused.code === 'unknown-task') return UNKNOWN_TASK;
  if (refused.code !== 'unknown-capability') return { code: CODE.refused, message: refused.reason };
  const code = kind === 'resource' ? resourceNotFound : CODE.invalidParams;
  const data = kind === 'resource' ? { uri: exposedName } : undefined;
  return { code, message: `Unknown ${NOUN[kind]}: ${exposedName}`, data };
};

/** A fault of ours, told without its inside; the log has the rest. */
export const faultError = (error: unknown): { status: number; error: WireError } => {
  const isAway = error instanceof Unavailable;
  const message = isAway ? error.message : 'Peta failed to answer this request. Its log says why.';
  return { status: isAway ? 503 : 500, error: { code: CODE.internal, message } };
};

/** Servers say in the words of their own era that a resource is not there; the newer one adds which. */
const isNotFound = ({ error: { code, data } }: Failed, { kind }: Ask): boolean => {
  if (kind !== 'resource') return false;
  if (code === CODE.resourceNotFound) return true;
  const isObject = typeof data === 'object' && data !== null && !Array.isArray(data);
  return code === CODE.invalidParams && isObject && typeof data.uri === 'string';
};

/** A server's error as it came, but for the code and the URI of a resource that is not there. */
export const failedError = (failed: Failed, ask: Ask, resourceNotFound: number): WireError =>
  isNotFound(failed, ask) ? { ...failed.error, code: resourceNotFound, data: { uri: ask.exposedName } } : failed.error;

const TOO_DEEP = { code: CODE.internal, message: 'The answer is nested too deeply to be passed on.' };

/** The message as text. What a server nests beyond measure cannot be written, and is answered with an error instead. */
export const textOf = (message: Message): string | undefined => {
  try {
    return JSON.stringify(message);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const { id } = message;
    return isRequestId(id) && !('method' in message) ? JSON.stringify(errorMessage(id, TOO_DEEP)) : undefined;
  }
};
