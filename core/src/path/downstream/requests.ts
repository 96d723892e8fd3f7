import type { Transport, TransportSendOptions } from '@modelcontextprotocol/client';
import type { JsonObject, Question, Reply } from '#call';
import { asObject, CallTimeout, RpcError, ServerUnavailable } from './errors.ts';
import { NO_MESSAGE } from './faults.ts';
import type { TapMessage } from './tap.ts';
import { withoutRelated } from './tasks/state.ts';

export type RequestOptions = {
  signal?: AbortSignal | undefined;
  /** A server that says nothing for this long fails the request; progress and questions count as saying something. */
  timeoutMs: number;
  /** Notifications that belong to this request, with the caller's own progress token. */
  onNotification?: ((method: string, params: JsonObject) => void) | undefined;
  /** Answers what the server asks in the course of this request; without it the server is told that nobody can. */
  onQuestion?: ((question: Question, signal: AbortSignal) => Promise<Reply>) | undefined;
  /** Whose request it is, if a client's. What cannot be told apart among requests of one party reaches its latest. */
  party?: string | undefined;
  /** What is asked or said on another stream than its own is not meant for it. */
  isOwnAlone?: boolean | undefined;
  /** What the client can be asked, where the server is told with each request. */
  clientCapabilities?: JsonObject | undefined;
  logLevel?: string | undefined;
  /** Further HTTP headers of this request, where it travels by HTTP. */
  headers?: Readonly<Record<string, string>> | undefined;
};

/** The way to the server, once it is known which era it speaks. */
export type Wire = {
  send: Transport['send'];
  /** What the server's era wants in the `_meta` of a request. */
  envelope(options: Pick<RequestOptions, 'clientCapabilities' | 'logLevel'>): JsonObject;
  /** Closing the stream of a request cancels it, so that nothing else need be said. */
  cancelsByClosing: boolean;
  /** Turns a failure to send the request of this id into what the caller gets. */
  failure(error: unknown, id: string): Error;
};

/** One request under way, as what the server says in its course sees it. */
export type Pending = Pick<RequestOptions, 'onNotification' | 'onQuestion' | 'party' | 'isOwnAlone'> & {
  /** Aborts once it was answered or given up: then nobody need be asked any more. */
  over: AbortSignal;
  resolve(result: JsonObject): void;
  reject(error: unknown): void;
  progressed(params: JsonObject): void;
  /** While a person is asked, the server's silence is no fault of its own. */
  pause(): void;
  resume(): void;
};

const ID_PREFIX = 'peta:';
/** Is it the id of one of our own requests, whether that is under way or not? */
export const isOwnId = (id: string): boolean => id.startsWith(ID_PREFIX);

/** What is ours to say in `_meta`, whatever the caller put there. */
const OURS = new Set(
  ['protocolVersion', 'clientInfo', 'clientCapabilities', 'logLevel', 'subscriptionId', 'serverInfo'].map(
    (name) => `io.modelcontextprotocol/${name}`,
  ),
);

const foreignMeta = (meta: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(meta).filter(([key]) => !OURS.has(key) && key !== 'progressToken'));

/** The caller's parameters with our progress token, which is the id, and our envelope. */
const paramsFor = (id: string, { _meta, ...rest }: JsonObject, envelope: JsonObject): JsonObject => {
  const given = asObject(_meta) ?? {};
  const meta = {
    ...foreignMeta(given),
    ...(given.progressToken !== undefined && { progressToken: id }),
    ...envelope,
  };
  return Object.keys(meta).length > 0 ? { ...rest, _meta: meta } : rest;
};

/** A clock that can be stopped; `expire` is called once it has run for `ms` without a pause or a wind. */
const createTimer = (ms: number, expire: () => void) => {
  let paused = 0;
  let timer: NodeJS.Timeout | undefined = setTimeout(expire, ms);
  const wind = () => {
    clearTimeout(timer);
    timer = paused > 0 ? undefined : setTimeout(expire, ms);
  };
  return {
    wind,
    pause() {
      paused += 1;
      wind();
    },
    resume() {
      paused -= 1;
      wind();
    },
    stop: () => clearTimeout(timer),
  };
};

/** One for all: to make an error for each request that ends costs more than much of the rest. */
const OVER = new Error('The request is over.');

/** Requests of our own on a connection: their ids, progress tokens, timeouts and cancellation. */
export const createRequests = () => {
  const pending = new Map<string, Pending>();
  let onIdle: (() => void) | undefined;
  let counter = 0;
  let hasServed = false;

  const settled = (id: string): void => {
    pending.delete(id);
    if (pending.size === 0) onIdle?.();
  };

  return {
    /** What is under way, in the order in which it was asked, by id. */
    pending: pending as ReadonlyMap<string, Pending>,

    /** Was anything asked here yet that is a client's? */
    hasServed: (): boolean => hasServed,

    /** Takes an answer or progress that belongs to one of these requests; false for anything else. */
    take(message: TapMessage): boolean {
      if ('method' in message) {
        if (message.method !== 'notifications/progress') return false;
        const params = asObject(message.params) ?? {};
        const request = pending.get(String(params.progressToken));
        request?.progressed(withoutRelated(params));
        return request !== undefined;
      }
      const request = pending.get(String(message.id));
      if (!request) return false;
      const result = 'result' in message ? asObject(message.result) : undefined;
      if (result) request.resolve(result);
      else request.reject(RpcError.from('error' in message && message.error) ?? new ServerUnavailable(NO_MESSAGE));
      return true;
    },

    failAll(error: Error): void {
      for (const { reject } of [...pending.values()]) reject(error);
    },

    /** Calls back once no request is under way, at once if that is now. */
    whenIdle(run: () => void): void {
      if (pending.size === 0) run();
      else onIdle = run;
    },

    /** The server's result as it came. Throws as `Connection.request` says. */
    send: (wire: Wire, method: string, params: JsonObject, options: RequestOptions): Promise<JsonObject> =>
      new Promise((resolve, reject) => {
        const { signal, timeoutMs, onNotification, headers } = options;
        if (signal?.aborted) return reject(signal.reason);
        counter += 1;
        hasServed ||= options.party !== undefined;
        const id = `${ID_PREFIX}${counter}`;
        const over = new AbortController();
        const stream = new AbortController();
        const envelope = wire.envelope(options);
        const callersToken = asObject(params._meta)?.progressToken;

        const finish = (): boolean => {
          if (!pending.has(id)) return false;
          timer.stop();
          signal?.removeEventListener('abort', abort);
          settled(id);
          over.abort(OVER);
          return true;
        };
        const fail = (error: unknown) => void (finish() && reject(error));
        const giveUp = (error: unknown) => {
          if (!finish()) return;
          if (!wire.cancelsByClosing) {
            const about = { requestId: id, ...(Object.keys(envelope).length > 0 && { _meta: envelope }) };
            wire.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: about }).catch(() => {});
          }
          stream.abort(OVER);
          reject(error);
        };
        const abort = () => giveUp(signal?.reason);
        const timer = createTimer(timeoutMs, () => giveUp(new CallTimeout(timeoutMs)));
        signal?.addEventListener('abort', abort);

        pending.set(id, {
          onNotification,
          onQuestion: options.onQuestion,
          party: options.party,
          isOwnAlone: options.isOwnAlone,
          over: over.signal,
          resolve: (result) => void (finish() && resolve(result)),
          reject: fail,
          progressed: (progress) => {
            timer.wind();
            if (callersToken !== undefined)
              onNotification?.('notifications/progress', { ...progress, progressToken: callersToken });
          },
          pause: timer.pause,
          resume: () => {
            if (pending.has(id)) timer.resume();
          },
        });
        const sendOptions: TransportSendOptions = {
          requestSignal: stream.signal,
          headers,
          onRequestStreamEnd: () => fail(new ServerUnavailable('The server ended the answer before it was complete.')),
        };
        wire
          .send({ jsonrpc: '2.0', id, method, params: paramsFor(id, params, envelope) }, sendOptions)
          .catch((error: unknown) => {
            if (pending.has(id)) fail(wire.failure(error, id));
          });
      }),
  };
};
