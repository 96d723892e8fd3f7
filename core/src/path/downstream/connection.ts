import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/client';
import type { JsonObject } from '#call';
import { type Answer, createAsked, type TaskFollower } from './asked.ts';
import { asObject, ServerUnavailable, SessionExpired } from './errors.ts';
import { faultOf } from './faults.ts';
import { type HandshakeOptions, meet } from './handshake.ts';
import { keepSubscribed, type ListKind, listChangesOf, whenListChanges } from './list-changes.ts';
import { createLogLevel } from './log-level.ts';
import { mirroring } from './mirror.ts';
import { createPages, pagesIn } from './pages.ts';
import { createRequests, type RequestOptions, type Wire } from './requests.ts';
import type { Ending, Take } from './tap.ts';
import { createWatches } from './watches.ts';

/** One connection to one server. Requests pass through as they are; ids and progress tokens are our own. */
export type Connection = {
  capabilities: JsonObject;
  /** The server keeps nothing between requests: it asks by its answers, and is told with each request who it is for. */
  isStateless: boolean;
  /**
   * The server's result, unvalidated. Throws `RpcError` (the server's own), `ServerUnavailable`, `SessionExpired`,
   * `CallTimeout`, or the signal's reason once aborted; then the server has been told.
   */
  request(method: string, params: JsonObject, options: RequestOptions): Promise<JsonObject>;
  /** Tells the server that its client's roots are others now; `answer` is asked should it want to know them at once. */
  rootsChanged(answer: Answer): void;
  /** Calls back when the resource changes. Returns the function that ends it; rejects as `request` does. */
  watch(uri: string, listener: () => void): Promise<() => void>;
  /** Hands over what the task says and asks here. Returns the function that ends it. */
  followTask(taskId: string, follower: TaskFollower): () => void;
  onListChanged(listener: (kind: ListKind) => void): void;
  /** Called once, when nothing more can be asked here. What is under way may still be answered. */
  onClosed(listener: (ending: Ending) => void): void;
  close(): Promise<void>;
};

export type ConnectOptions = HandshakeOptions & {
  /** What the client behind this connection can be asked, for servers that are told once. */
  clientCapabilities?: JsonObject | undefined;
  /** What the server said that belongs to no request; a question among it has been refused. */
  onStray?: ((method: string, params: JsonObject) => void) | undefined;
  /** It asked while calls of several clients were under way, and did not say which it meant. */
  onAmbiguous?: (() => void) | undefined;
};

const CLOSED = 'The connection to the server was closed.';
const EXPIRED = 'The server no longer knows this session.';
const OWN_TIMEOUT_MS = 30_000;

/** Connects, finding out which era the server speaks. Rejects with the reason when it does not get that far. */
export const connect = async (options: ConnectOptions): Promise<Connection> => {
  const requests = createRequests();
  const listListeners = new Set<(kind: ListKind) => void>();
  const closeListeners = new Set<(ending: Ending) => void>();
  const followers = new Map<string, TaskFollower>();
  const over = new AbortController();
  let ending: Ending | undefined;

  const changed = (kind: ListKind) => {
    for (const listener of listListeners) listener(kind);
  };
  const pages = createPages();
  const asked = createAsked({
    pending: requests.pending,
    followers,
    send: (message) => tap.send(message),
    isAwaited: () => options.clientCapabilities !== undefined && !requests.hasServed(),
    pages,
    onStray: options.onStray,
    onAmbiguous: options.onAmbiguous,
  });
  const take: Take = (message, stream) => {
    if ('method' in message && message.method === 'notifications/resources/updated') {
      watches?.updated(String(asObject(message.params)?.uri));
      return true;
    }
    return requests.take(message) || asked.take(message, stream);
  };
  let watches: ReturnType<typeof createWatches> | undefined;
  const clientOptions = {
    listChanged: whenListChanges(changed),
    ...(options.clientCapabilities && { capabilities: options.clientCapabilities }),
  };
  const { tap, way, client } = await meet(options, clientOptions, take);

  /** Takes no more requests; those under way go on. */
  const retire = (why: Ending): void => {
    if (ending) return;
    ending = why;
    over.abort();
    watches?.close();
    for (const listener of closeListeners) listener(why);
    requests.whenIdle(() => void client.close().catch(() => {}));
  };
  /** Nobody will answer any more. */
  const lost = (reason: string): void => {
    retire({ kind: 'failed', reason });
    asked.close();
    requests.failAll(new ServerUnavailable(reason));
  };
  client.onclose = () => lost(tap.reason ?? CLOSED);
  client.onerror = () => {};
  way.onretire = retire;

  const failure = (error: unknown, id: string): Error => {
    const fault = faultOf(error, tap.sessionId !== undefined, id);
    switch (fault.kind) {
      case 'answered':
        return fault.error;
      case 'expired':
        retire({ kind: 'expired', reason: EXPIRED });
        return new SessionExpired(EXPIRED);
      case 'unreachable':
        retire({ kind: 'failed', reason: fault.reason });
        return new ServerUnavailable(fault.reason);
      case 'refused':
        return new ServerUnavailable(fault.reason);
    }
  };

  const version = client.getProtocolEra() === 'modern' ? client.getNegotiatedProtocolVersion() : undefined;
  const isStateless = version !== undefined;
  const isModernHttp = isStateless && tap.hasPerRequestStream === true;
  const wire: Wire = {
    send: tap.send,
    envelope: ({ clientCapabilities, logLevel }) =>
      version === undefined
        ? {}
        : {
            [PROTOCOL_VERSION_META_KEY]: version,
            [CLIENT_INFO_META_KEY]: options.product,
            [CLIENT_CAPABILITIES_META_KEY]: clientCapabilities ?? {},
            ...(logLevel !== undefined && { [LOG_LEVEL_META_KEY]: logLevel }),
          },
    cancelsByClosing: isModernHttp,
    failure,
  };
  const capabilities = asObject(client.getServerCapabilities()) ?? {};
  const send = async (method: string, params: JsonObject, requestOptions: RequestOptions): Promise<JsonObject> => {
    if (ending) throw new ServerUnavailable(ending.reason);
    return requests.send(wire, method, params, requestOptions);
  };
  const own = (method: string, params: JsonObject) => send(method, params, { timeoutMs: OWN_TIMEOUT_MS });
  const logLevel = createLogLevel(isStateless || capabilities.logging === undefined ? undefined : own);
  watches = createWatches({ client, isStateless, request: own });
  if (isStateless)
    void keepSubscribed(
      client,
      listChangesOf(client),
      over.signal,
      () => {
        for (const kind of ['tools', 'resources', 'prompts'] as const) changed(kind);
      },
      client.autoOpenedSubscription,
    );

  const request: Connection['request'] = async (method, params, requestOptions) => {
    if (requestOptions.logLevel !== undefined) await logLevel.atLeast(requestOptions.logLevel);
    return send(method, params, requestOptions).catch((error: unknown) => {
      for (const page of pagesIn(error) ?? []) pages.sent(page.params, requestOptions.onNotification);
      throw error;
    });
  };

  return {
    capabilities,
    isStateless,
    request: isModernHttp ? mirroring(request, options.notice ?? (() => {})) : request,
    rootsChanged(answer) {
      asked.rootsChanged(answer);
      void tap.send({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' }).catch(() => {});
    },
    watch: watches.watch,
    followTask(taskId, follower) {
      followers.set(taskId, follower);
      return () => void (followers.get(taskId) === follower && followers.delete(taskId));
    },
    onListChanged: (listener) => void listListeners.add(listener),
    onClosed: (listener) => {
      if (ending) listener(ending);
      else closeListeners.add(listener);
    },
    async close() {
      lost(CLOSED);
      await client.close();
    },
  };
};
