import type { Admitted, Client } from '#call';
import type { EdgeParts } from '../edge.ts';
import type { Exchange } from '../exchange.ts';
import { createById } from '../ids.ts';
import type { LogLevel } from '../log-level.ts';
import { type Message, notificationMessage } from '../wire.ts';

/** A session as this era needs it. */
export type SessionRef = {
  readonly id: string;
  readonly client: Client;
  open: number;
  /** Least severity of log lines, once the client has said so. */
  logLevel: LogLevel | undefined;
};

/** What is open in one session. */
type Open = {
  requests: ReturnType<typeof createById<AbortController>>;
  /** By URI. */
  subscriptions: Map<string, AbortController>;
  /** Says something on the stream of changes, if there is one. */
  say: ((message: Message) => void) | undefined;
  endStream: (() => void) | undefined;
};

/** What is open in each session, so that it can be cancelled, taken over and ended. */
export const createOpenSessions = ({ live, quietMs }: Pick<EdgeParts, 'live' | 'quietMs'>) => {
  const sessions = new Map<string, Open>();

  const openOf = (sessionId: string): Open => {
    const held = sessions.get(sessionId) ?? {
      requests: createById<AbortController>(),
      subscriptions: new Map<string, AbortController>(),
      say: undefined,
      endStream: undefined,
    };
    sessions.set(sessionId, held);
    return held;
  };

  return {
    of: openOf,

    /** Opens the stream of changes. A client that comes back takes it over from its earlier connection. */
    openStream(exchange: Exchange, admitted: Admitted, session: SessionRef): void {
      const open = openOf(session.id);
      open.endStream?.();
      const stream = exchange.stream();
      session.open += 1;
      const timer = setInterval(() => stream.keepAlive(), quietMs);
      timer.unref();
      let isOpen = true;
      const close = () => {
        if (!isOpen) return;
        isOpen = false;
        session.open -= 1;
        clearInterval(timer);
        remove();
        if (open.endStream !== end) return;
        open.endStream = undefined;
        open.say = undefined;
      };
      const end = () => {
        close();
        stream.end();
      };
      const { remove } = live.add({
        admitted,
        end,
        onListChanged: (kinds) => {
          for (const kind of kinds) stream.send(notificationMessage(`notifications/${kind}/list_changed`, {}));
        },
      });
      open.endStream = end;
      open.say = (message) => stream.send(message);
      exchange.gone.addEventListener('abort', close);
      stream.keepAlive();
    },

    /** A session is over: whatever is still open in it ends. */
    ended(sessionId: string): void {
      const open = sessions.get(sessionId);
      sessions.delete(sessionId);
      open?.endStream?.();
      for (const request of open?.requests.values() ?? []) request.abort();
      for (const subscription of open?.subscriptions.values() ?? []) subscription.abort();
    },
  };
};

export type OpenSessions = ReturnType<typeof createOpenSessions>;
