import type { Admitted, JsonObject } from '#call';
import type { EdgeParts, Reply } from '../edge.ts';
import type { RequestId } from '../ids.ts';
import { subscribe } from '../subscribe.ts';
import { CODE, notificationMessage } from '../wire.ts';
import type { OpenSessions, SessionRef } from './session-streams.ts';

type Wanted = { id: RequestId; params: JsonObject };

const updated = (params: JsonObject) => notificationMessage('notifications/resources/updated', params);

/** The resources that a session's own stream tells of. */
export const createSessionWatches = (parts: EdgeParts, open: OpenSessions) => {
  const { live } = parts;

  /** Watches one more, if the caller may read it. */
  const add = async (session: SessionRef, admitted: Admitted, { id, params }: Wanted): Promise<Reply> => {
    const before = open.of(session.id);
    const ended = new AbortController();
    const place = live.add({ admitted, end: () => ended.abort() });
    ended.signal.addEventListener('abort', place.remove);
    const reply = await subscribe(parts, {
      id,
      params,
      admitted: place.admitted,
      resourceNotFound: CODE.resourceNotFound,
      signal: ended.signal,
      updated: (content) => open.of(session.id).own?.stream.send(updated(content)),
    });
    const { watched } = before;
    const uri = String(params.uri);
    watched.get(uri)?.abort();
    // The session may have ended meanwhile.
    if ('result' in reply && open.of(session.id) === before) watched.set(uri, ended);
    else ended.abort();
    return reply;
  };

  const remove = (session: SessionRef, uri: string): void => {
    const { watched } = open.of(session.id);
    watched.get(uri)?.abort();
    watched.delete(uri);
  };

  return {
    add,
    remove,

    /** Where the session's own stream is, its resources are watched; what was not till now may have changed. */
    async restore(session: SessionRef): Promise<void> {
      const { own, watched } = open.of(session.id);
      if (!own) return;
      for (const uri of watched.keys()) if (!session.subscriptions.includes(uri)) remove(session, uri);
      for (const uri of session.subscriptions) {
        if (watched.has(uri)) continue;
        const reply = await add(session, own.admitted(), { id: 'restored', params: { uri } });
        if ('result' in reply) own.stream.send(updated({ uri }));
      }
    },
  };
};

export type Watches = ReturnType<typeof createSessionWatches>;
