import type { Admitted } from '#call';
import type { EdgeParts } from '../edge.ts';
import type { Exchange } from '../exchange.ts';
import { createById } from '../ids.ts';
import { notificationMessage } from '../wire.ts';

/** A session as this era needs it. */
export type SessionRef = { readonly id: string; open: number };

/** What is open in one session: its requests by id, and the stream that tells of changes. */
type Requests = ReturnType<typeof createById<AbortController>>;
type Open = { requests: Requests; endStream: (() => void) | undefined };

/** What is open in each session, so that it can be cancelled, taken over and ended. */
export const createOpenSessions = ({ live, quietMs }: Pick<EdgeParts, 'live' | 'quietMs'>) => {
  const sessions = new Map<string, Open>();

  const openOf = (sessionId: string): Open => {
    const held = sessions.get(sessionId) ?? { requests: createById<AbortController>(), endStream: undefined };
    sessions.set(sessionId, held);
    return held;
  };

  return {
    requests: (sessionId: string): Requests => openOf(sessionId).requests,

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
        if (open.endStream === end) open.endStream = undefined;
      };
      const end = () => {
        close();
        stream.end();
      };
      const remove = live.add({
        admitted,
        end,
        onListChanged: (kinds) => {
          for (const kind of kinds) stream.send(notificationMessage(`notifications/${kind}/list_changed`, {}));
        },
      });
      open.endStream = end;
      exchange.gone.addEventListener('abort', close);
      stream.keepAlive();
    },

    /** A session is over: whatever is still open in it ends. */
    ended(sessionId: string): void {
      const open = sessions.get(sessionId);
      sessions.delete(sessionId);
      open?.endStream?.();
      for (const request of open?.requests.values() ?? []) request.abort();
    },
  };
};
