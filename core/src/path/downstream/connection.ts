import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  Client,
  type ClientOptions,
  PROTOCOL_VERSION_META_KEY,
  type Transport,
} from '@modelcontextprotocol/client';
import type { JsonObject } from '#call';
import { CallTimeout, HandshakeFailed, RpcError, ServerUnavailable, SessionExpired } from './errors.ts';
import { createTap, type Tap, type TapMessage } from './tap.ts';

export type ListKind = 'tools' | 'resources' | 'prompts';

export type RequestOptions = {
  signal?: AbortSignal | undefined;
  /** A server that says nothing for this long fails the request; progress counts as saying something. */
  timeoutMs: number;
  /** Notifications that belong to this request, with the caller's own progress token. */
  onNotification?: ((method: string, params: JsonObject) => void) | undefined;
};

/** One connection to one server. Requests pass through as they are; ids and progress tokens are our own. */
export type Connection = {
  capabilities: JsonObject;
  /**
   * The server's result, unvalidated. Throws `RpcError` (the server's own), `ServerUnavailable`, `SessionExpired`,
   * `CallTimeout`, or the signal's reason once aborted; then the server has been told.
   */
  request(method: string, params: JsonObject, options: RequestOptions): Promise<JsonObject>;
  onListChanged(listener: (kind: ListKind) => void): void;
  /** Called once, with the reason. */
  onClosed(listener: (reason: string) => void): void;
  close(): Promise<void>;
};

export type ConnectOptions = {
  /** Opens the way to the server; called again when the server did not survive being asked for its era. */
  open(): Promise<Transport>;
  protocol: 'auto' | 'legacy' | 'modern';
  /** Whether closing the stream of a request cancels it, as on HTTP. */
  startTimeoutMs: number;
  product: { name: string; version: string };
};

const RESERVED = 'io.modelcontextprotocol/';
const PROBE_TIMEOUT_MS = 5_000;

type Pending = {
  resolve(result: JsonObject): void;
  reject(error: unknown): void;
  heard(): void;
  notify(method: string, params: JsonObject): void;
};

const isHttpStatus = (error: unknown, status: number): boolean =>
  error instanceof Error && 'status' in error && error.status === status;

const asObject = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

/** The caller's `_meta` without what is ours to say. */
const foreignMeta = (params: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(asObject(params._meta)).filter(([key]) => !key.startsWith(RESERVED) && key !== 'progressToken'),
  );

const handshake = async (
  tap: Tap,
  { protocol, startTimeoutMs, product }: ConnectOptions,
  options: ClientOptions,
  isKnownLegacy: boolean,
): Promise<Client> => {
  const mode = protocol === 'modern' ? { pin: '2026-07-28' } : protocol;
  const client = new Client(product, {
    ...options,
    versionNegotiation: { mode, probe: { timeoutMs: Math.min(PROBE_TIMEOUT_MS, startTimeoutMs) } },
  });
  await client.connect(tap, { timeout: startTimeoutMs, ...(isKnownLegacy && { prior: { kind: 'legacy' as const } }) });
  return client;
};

/** Connects, finding out which era the server speaks. Rejects with the reason when it does not get that far. */
export const connect = async (options: ConnectOptions): Promise<Connection> => {
  const listListeners = new Set<(kind: ListKind) => void>();
  const closeListeners = new Set<(reason: string) => void>();
  const pending = new Map<string, Pending>();
  let closedReason: string | undefined;
  let counter = 0;

  const closed = (reason: string) => {
    if (closedReason !== undefined) return;
    closedReason = reason;
    for (const { reject } of pending.values()) reject(new ServerUnavailable(reason));
    pending.clear();
    for (const listener of closeListeners) listener(reason);
  };

  /** Takes the messages that are ours from the wire; the rest is the SDK client's. */
  const take = (message: TapMessage): boolean => {
    if ('method' in message && message.method === 'notifications/progress') {
      const params = asObject(message.params);
      const request = pending.get(String(params.progressToken));
      request?.heard();
      request?.notify('notifications/progress', params);
      return request !== undefined;
    }
    if ('method' in message || typeof message.id !== 'string') return false;
    const request = pending.get(message.id);
    if (!request) return false;
    pending.delete(message.id);
    if ('error' in message) request.reject(RpcError.from(message.error));
    else request.resolve(asObject(message.result));
    return true;
  };

  const listChanged = (kind: ListKind) => ({
    autoRefresh: false as const,
    debounceMs: 50,
    onChanged: () => {
      for (const listener of listListeners) listener(kind);
    },
  });
  const clientOptions: ClientOptions = {
    listChanged: { tools: listChanged('tools'), resources: listChanged('resources'), prompts: listChanged('prompts') },
  };

  /** One attempt; when it fails, the transport is closed and knows best why. */
  const attempt = async (isKnownLegacy: boolean): Promise<{ tap: Tap; client: Client }> => {
    const tap = createTap(await options.open(), take);
    try {
      return { tap, client: await handshake(tap, options, clientOptions, isKnownLegacy) };
    } catch (error) {
      const { endedByItself } = tap;
      await tap.close().catch(() => {});
      throw new HandshakeFailed(tap.reason ?? (error instanceof Error ? error.message : String(error)), endedByItself);
    }
  };
  const { tap, client } = await attempt(false).catch((error: unknown) => {
    // Some old servers end when they are asked anything before initialize: start again without asking.
    if (error instanceof HandshakeFailed && error.endedByItself && options.protocol === 'auto') return attempt(true);
    throw error;
  });
  client.onclose = () => closed(tap.reason ?? 'The connection to the server was closed.');
  client.onerror = () => {};
  const version = client.getProtocolEra() === 'modern' ? client.getNegotiatedProtocolVersion() : undefined;
  const envelope: JsonObject = version
    ? {
        [PROTOCOL_VERSION_META_KEY]: version,
        [CLIENT_INFO_META_KEY]: options.product,
        [CLIENT_CAPABILITIES_META_KEY]: {},
      }
    : {};
  const cancelsByClosing = version !== undefined && tap.hasPerRequestStream === true;

  const cancel = (id: string) => {
    if (cancelsByClosing || closedReason !== undefined) return;
    const params = { requestId: id, ...(version && { _meta: envelope }) };
    tap.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params }).catch(() => {});
  };

  const paramsFor = (id: string, params: JsonObject): JsonObject => {
    const meta = {
      ...foreignMeta(params),
      ...(asObject(params._meta).progressToken !== undefined && { progressToken: id }),
      ...envelope,
    };
    const { _meta: _, ...rest } = params;
    return Object.keys(meta).length > 0 ? { ...rest, _meta: meta } : rest;
  };

  const sendFailed = (error: unknown): Error => {
    if (isHttpStatus(error, 404)) {
      const expired = new SessionExpired('The server no longer knows this session.');
      closed(expired.message);
      return expired;
    }
    const reason =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
    if (error instanceof TypeError) closed(`The server cannot be reached: ${reason}`);
    return new ServerUnavailable(reason);
  };

  const request = (method: string, params: JsonObject, { signal, timeoutMs, onNotification }: RequestOptions) =>
    new Promise<JsonObject>((resolve, reject) => {
      if (closedReason !== undefined) return reject(new ServerUnavailable(closedReason));
      if (signal?.aborted) return reject(signal.reason);
      counter += 1;
      const id = `peta:${counter}`;
      const stream = new AbortController();
      const callersToken = asObject(params._meta).progressToken;
      const giveUp = (error: unknown) => {
        if (!pending.has(id)) return;
        settle();
        cancel(id);
        stream.abort();
        reject(error);
      };
      const abort = () => giveUp(signal?.reason);
      const expire = () => giveUp(new CallTimeout(timeoutMs));
      let timer = setTimeout(expire, timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        pending.delete(id);
      };
      signal?.addEventListener('abort', abort);
      pending.set(id, {
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
        heard: () => {
          clearTimeout(timer);
          timer = setTimeout(expire, timeoutMs);
        },
        notify: (name, content) =>
          onNotification?.(name, callersToken === undefined ? content : { ...content, progressToken: callersToken }),
      });
      const end = () =>
        pending.get(id)?.reject(new ServerUnavailable('The server ended the answer before it was complete.'));
      tap
        .send(
          { jsonrpc: '2.0', id, method, params: paramsFor(id, params) },
          { requestSignal: stream.signal, onRequestStreamEnd: end },
        )
        .catch((error: unknown) => pending.get(id)?.reject(sendFailed(error)));
    });

  return {
    capabilities: asObject(client.getServerCapabilities()),
    request,
    onListChanged: (listener) => void listListeners.add(listener),
    onClosed: (listener) => {
      if (closedReason !== undefined) listener(closedReason);
      else closeListeners.add(listener);
    },
    async close() {
      closed('The connection to the server was closed.');
      await client.close();
    },
  };
};
