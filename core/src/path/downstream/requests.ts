import type { Transport, TransportSendOptions } from '@modelcontextprotocol/client';
import type { JsonObject } from '#call';
import { asObject, CallTimeout, RpcError, ServerUnavailable } from './errors.ts';
import { NO_MESSAGE } from './faults.ts';
import type { TapMessage } from './tap.ts';

export type RequestOptions = {
  signal?: AbortSignal | undefined;
  /** A server that says nothing for this long fails the request; progress counts as saying something. */
  timeoutMs: number;
  /** Notifications that belong to this request, with the caller's own progress token. */
  onNotification?: ((method: string, params: JsonObject) => void) | undefined;
  /** Further HTTP headers of this request, where it travels by HTTP. */
  headers?: Readonly<Record<string, string>> | undefined;
};

/** The way to the server, once it is known which era it speaks. */
export type Wire = {
  send: Transport['send'];
  /** What the server's era wants in the `_meta` of every request. */
  envelope: JsonObject;
  /** Closing the stream of a request cancels it, so that nothing else need be said. */
  cancelsByClosing: boolean;
  /** Turns a failure to send the request of this id into what the caller gets. */
  failure(error: unknown, id: string): Error;
};

type Pending = {
  resolve(result: JsonObject): void;
  reject(error: unknown): void;
  progressed(params: JsonObject): void;
};

const RESERVED = 'io.modelcontextprotocol/';

/** The caller's `_meta` without what is ours to say. */
const foreignMeta = (meta: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(meta).filter(([key]) => !key.startsWith(RESERVED) && key !== 'progressToken'));

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

/** Requests of our own on a connection: their ids, progress tokens, timeouts and cancellation. */
export const createRequests = () => {
  const pending = new Map<string, Pending>();
  let onIdle: (() => void) | undefined;
  let counter = 0;

  const settled = (id: string): void => {
    pending.delete(id);
    if (pending.size === 0) onIdle?.();
  };

  return {
    /** Takes a message that belongs to one of these requests; false for any other. */
    take(message: TapMessage): boolean {
      if ('method' in message) {
        if (message.method !== 'notifications/progress') return false;
        const params = asObject(message.params) ?? {};
        const request = pending.get(String(params.progressToken));
        request?.progressed(params);
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
    send: (
      wire: Wire,
      method: string,
      params: JsonObject,
      { signal, timeoutMs, onNotification, headers }: RequestOptions,
    ): Promise<JsonObject> =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        counter += 1;
        const id = `peta:${counter}`;
        const stream = new AbortController();
        const callersToken = asObject(params._meta)?.progressToken;

        const finish = (): boolean => {
          if (!pending.has(id)) return false;
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          settled(id);
          return true;
        };
        const fail = (error: unknown) => void (finish() && reject(error));
        const giveUp = (error: unknown) => {
          if (!finish()) return;
          if (!wire.cancelsByClosing) {
            const about = { requestId: id, ...(Object.keys(wire.envelope).length > 0 && { _meta: wire.envelope }) };
            wire.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: about }).catch(() => {});
          }
          stream.abort();
          reject(error);
        };
        const abort = () => giveUp(signal?.reason);
        const expire = () => giveUp(new CallTimeout(timeoutMs));
        let timer = setTimeout(expire, timeoutMs);
        signal?.addEventListener('abort', abort);

        pending.set(id, {
          resolve: (result) => void (finish() && resolve(result)),
          reject: fail,
          progressed: (progress) => {
            clearTimeout(timer);
            timer = setTimeout(expire, timeoutMs);
            if (callersToken !== undefined)
              onNotification?.('notifications/progress', { ...progress, progressToken: callersToken });
          },
        });
        const options: TransportSendOptions = {
          requestSignal: stream.signal,
          headers,
          onRequestStreamEnd: () => fail(new ServerUnavailable('The server ended the answer before it was complete.')),
        };
        wire
          .send({ jsonrpc: '2.0', id, method, params: paramsFor(id, params, wire.envelope) }, options)
          .catch((error: unknown) => {
            if (pending.has(id)) fail(wire.failure(error, id));
          });
      }),
  };
};
