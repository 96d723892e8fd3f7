import { randomUUID } from 'node:crypto';
import type { Admitted, Arrival, Ask, JsonObject, Outcome, Refused } from '#call';
import type { Exchange } from './exchange.ts';
import type { RequestId } from './ids.ts';
import type { LiveSet } from './live.ts';
import { InvalidParams, type Lists, listMethods, pageOf, targetOf } from './methods.ts';
import { CODE, failedError, refusalError, type WireError } from './wire.ts';

/** What every era puts its requests on. */
type Path = {
  admit(arrival: Arrival): Promise<Admitted | Refused>;
  list(admitted: Admitted): Promise<Lists>;
  call(ask: Ask, admitted: Admitted): Promise<Outcome>;
};

type Product = { name: string; title: string; version: string; instructions: string };

/** What the eras share. */
export type EdgeParts = {
  path: Path;
  live: LiveSet;
  product: Product;
  pageSize: number;
  /** A stream says something at least this often. */
  quietMs: number;
};

/** One protocol era: the only code that knows what its wire looks like. */
export type Era = {
  claims(exchange: Exchange): boolean;
  serve(exchange: Exchange): Promise<void>;
};

/** What Peta offers to clients, in every era. */
export const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { listChanged: true },
  prompts: { listChanged: true },
  completions: {},
};

/** What became of a request, before it is put in the words of an era. */
export type Reply = { result: JsonObject } | { error: WireError } | { cancelled: true };

type Running = {
  id: RequestId;
  method: string;
  params: JsonObject;
  admitted: Admitted;
  signal: AbortSignal;
  notify(method: string, params: JsonObject): void;
  /** The code this era uses for a resource that is not there. */
  resourceNotFound: number;
};

const page = async ({ path, pageSize }: EdgeParts, running: Running): Promise<Reply | undefined> => {
  const method = listMethods[running.method];
  if (!method) return undefined;
  const lists = await path.list(running.admitted);
  const { page: entries, nextCursor } = pageOf(lists[method.list], running.params.cursor, pageSize);
  return { result: { [method.key]: [...entries], ...(nextCursor !== undefined && { nextCursor }) } };
};

const call = async ({ path }: EdgeParts, running: Running): Promise<Reply> => {
  const { id, method, params, admitted, signal, notify, resourceNotFound } = running;
  const { kind, exposedName } = targetOf(method, params);
  const ask: Ask = { callId: randomUUID(), requestId: id, method, kind, exposedName, params, notify, signal };
  const outcome = await path.call(ask, admitted);
  switch (outcome.kind) {
    case 'done':
      return { result: outcome.result };
    case 'failed':
      return { error: failedError(outcome) };
    case 'cancelled':
      return { cancelled: true };
    case 'refused':
      return method === 'tools/call' && outcome.code !== 'unknown-capability'
        ? { result: { content: [{ type: 'text', text: outcome.reason }], isError: true } }
        : { error: refusalError(outcome, kind, exposedName, resourceNotFound) };
  }
};

/** Runs a list or call method. Throws what is a fault rather than an answer. */
export const runMethod = async (parts: EdgeParts, running: Running): Promise<Reply> => {
  try {
    return (await page(parts, running)) ?? (await call(parts, running));
  } catch (error) {
    if (error instanceof InvalidParams) return { error: { code: CODE.invalidParams, message: error.message } };
    throw error;
  }
};

/** Hands each exchange to the era that claims it. The last one takes what no other wants. */
export const createEdge =
  (eras: readonly Era[]) =>
  async (exchange: Exchange): Promise<void> =>
    eras.find((era) => era.claims(exchange))?.serve(exchange);
