import { z } from 'zod';
import type { JsonObject, Reply, RpcFailure } from '#call';
import { type RequestId, RequestIdShape } from '../ids.ts';

export type Request = { kind: 'request'; id: RequestId; method: string; params: JsonObject };
export type Notification = { kind: 'notification'; method: string; params: JsonObject };
export type Response = { kind: 'response'; id: RequestId; reply: Reply };

const Envelope = z.looseObject({
  jsonrpc: z.literal('2.0'),
  id: RequestIdShape.optional(),
  method: z.string().optional(),
  params: z.looseObject({}).optional(),
  result: z.looseObject({}).optional(),
  error: z.looseObject({ code: z.int(), message: z.string() }).optional(),
});

/** One JSON-RPC 2.0 message of MCP (ids are strings or integers, never null), or undefined when it is none. */
export const parseMessage = (body: unknown): Request | Notification | Response | undefined => {
  const envelope = Envelope.safeParse(body);
  if (!envelope.success) return undefined;
  const { id, method, params = {}, result, error } = envelope.data;
  if (method === undefined) {
    if (id === undefined || (result === undefined) === (error === undefined)) return undefined;
    const reply = error ? { error: error as RpcFailure } : { result: result as JsonObject };
    return { kind: 'response', id, reply };
  }
  const shared = { method, params: params as JsonObject };
  return id === undefined ? { kind: 'notification', ...shared } : { kind: 'request', id, ...shared };
};
