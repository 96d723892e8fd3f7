import { randomUUID } from 'node:crypto';
import type {
  Admitted,
  Arrival,
  Ask,
  Asks,
  Definition,
  Freshness,
  JsonObject,
  Outcome,
  Refused,
  TaskState,
} from '#call';
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
  /** Could it be done now? */
  permits(ask: Ask, admitted: Admitted): Promise<boolean>;
};

type Product = { name: string; title: string; version: string; instructions: string };

/** What the eras share. */
export type EdgeParts = {
  path: Path;
  live: LiveSet;
  /** The tools the caller is shown right now, without waiting for anybody; another list when anything of it changes. */
  shownTools(admitted: Admitted): readonly Definition[];
  product: Product;
  pageSize: number;
  /** A stream says something at least this often. */
  quietMs: number;
  /** A client that is asked something has this long to answer. */
  questionTimeoutMs: number;
  /** Tells the servers that know the roots of this session's client that they are others now, and may ask for them. */
  rootsChanged(sessionId: string, answer: NonNullable<Ask['question']>): void;
};

/** One protocol era: the only code that knows what its wire looks like. */
export type Era = {
  claims(exchange: Exchange): boolean;
  serve(exchange: Exchange): Promise<void>;
};

/** What Peta offers to clients itself, in every era. */
const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
};

/** What Peta and the servers behind it offer to this caller. */
export const capabilitiesFor = async ({ path }: EdgeParts, admitted: Admitted): Promise<JsonObject> => ({
  ...CAPABILITIES,
  ...(await path.list(admitted)).declared,
});

/** What became of a request, before it is put in the words of an era. `freshness` is that of a list. */
export type Reply =
  | { result: JsonObject; freshness?: Freshness }
  | { error: WireError }
  | { cancelled: true }
  | { asks: Asks }
  | { task: TaskState };

type Running = Pick<Ask, 'notify' | 'question' | 'retry' | 'task' | 'logLevel' | 'signal'> & {
  id: RequestId;
  method: string;
  params: JsonObject;
  admitted: Admitted;
  /** The code this era uses for a resource that is not there. */
  resourceNotFound: number;
};

const page = async ({ path, pageSize }: EdgeParts, running: Running): Promise<Reply | undefined> => {
  const method = listMethods[running.method];
  if (!method) return undefined;
  const lists = await path.list(running.admitted);
  const { page: entries, nextCursor } = pageOf(lists[method.list], running.params.cursor, pageSize);
  return {
    result: { [method.key]: [...entries], ...(nextCursor !== undefined && { nextCursor }) },
    freshness: lists.freshness[method.list],
  };
};

/** What a request asks of the path. Throws `InvalidParams`. */
export const askOf = (running: Omit<Running, 'admitted' | 'resourceNotFound'>): Ask => {
  const { id: requestId, ...rest } = running;
  return { ...rest, callId: randomUUID(), requestId, ...targetOf(running.method, running.params) };
};

const call = async ({ path }: EdgeParts, running: Running): Promise<Reply> => {
  const { admitted, resourceNotFound, ...asked } = running;
  const { method, task } = asked;
  const ask = askOf(asked);
  const { kind, exposedName } = ask;
  const outcome = await path.call(ask, admitted);
  switch (outcome.kind) {
    case 'done':
      return { result: outcome.result };
    case 'failed':
      return { error: failedError(outcome, ask, resourceNotFound) };
    case 'cancelled':
      return { cancelled: true };
    case 'asks':
      return { asks: outcome };
    case 'task':
      return { task: outcome.task };
    case 'refused':
      // Where a task was demanded, a result would be taken for one.
      return method === 'tools/call' && task?.kind !== 'must' && outcome.code !== 'unknown-capability'
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
