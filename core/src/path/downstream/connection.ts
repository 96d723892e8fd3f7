import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/client';
import type { JsonObject } from '#call';
import { asObject, ServerUnavailable, SessionExpired } from './errors.ts';
import { faultOf } from './faults.ts';
import { type HandshakeOptions, meet } from './handshake.ts';
import { keepSubscribed, type ListKind, whenListChanges } from './list-changes.ts';
import { mirroring } from './mirror.ts';
import { createRequests, type RequestOptions, type Wire } from './requests.ts';
import type { Ending } from './tap.ts';

/** One connection to one server. Requests pass through as they are; ids and progress tokens are our own. */
export type Connection = {
  capabilities: JsonObject;
  /**
   * The server's result, unvalidated. Throws `RpcError` (the server's own), `ServerUnavailable`, `SessionExpired`,
   * `CallTimeout`, or the signal's reason once aborted; then the server has been told.
   */
  request(method: string, params: JsonObject, options: RequestOptions): Promise<JsonObject>;
  onListChanged(listener: (kind: ListKind) => void): void;
  /** Called once, when nothing more can be asked here. What is under way may still be answered. */
  onClosed(listener: (ending: Ending) => void): void;
  close(): Promise<void>;
};

const CLOSED = 'The connection to the server was closed.';
const EXPIRED = 'The server no longer knows this session.';

/** Connects, finding out which era the server speaks. Rejects with the reason when it does not get that far. */
export const connect = async (options: HandshakeOptions): Promise<Connection> => {
  const requests = createRequests();
  const listListeners = new Set<(kind: ListKind) => void>();
  const closeListeners = new Set<(ending: Ending) => void>();
  const over = new AbortController();
  let ending: Ending | undefined;

  const changed = (kind: ListKind) => {
    for (const listener of listListeners) listener(kind);
  };
  const { tap, way, client } = await meet(options, { listChanged: whenListChanges(changed) }, requests.take);

  /** Takes no more requests; those under way go on. */
  const retire = (why: Ending): void => {
    if (ending) return;
    ending = why;
    over.abort();
    for (const listener of closeListeners) listener(why);
    requests.whenIdle(() => void client.close().catch(() => {}));
  };
  /** Nobody will answer any more. */
  const lost = (reason: string): void => {
    retire({ kind: 'failed', reason });
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
  const isModernHttp = version !== undefined && tap.hasPerRequestStream === true;
  const wire: Wire = {
    send: tap.send,
    envelope:
      version === undefined
        ? {}
        : {
            [PROTOCOL_VERSION_META_KEY]: version,
            [CLIENT_INFO_META_KEY]: options.product,
            [CLIENT_CAPABILITIES_META_KEY]: {},
          },
    cancelsByClosing: isModernHttp,
    failure,
  };
  if (version !== undefined)
    void keepSubscribed(client, over.signal, () => {
      for (const kind of ['tools', 'resources', 'prompts'] as const) changed(kind);
    });

  const request: Connection['request'] = async (method, params, requestOptions) => {
    if (ending) throw new ServerUnavailable(ending.reason);
    return requests.send(wire, method, params, requestOptions);
  };

  return {
    capabilities: asObject(client.getServerCapabilities()) ?? {},
    request: isModernHttp ? mirroring(request, options.notice ?? (() => {})) : request,
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
