import { setTimeout as pause } from 'node:timers/promises';
import { CallFailed, type Endpoint, type Session } from './endpoint.ts';
import type { Message } from './message.ts';

export const INITIALIZED = 'notifications/initialized';

const LISTEN_AGAIN_MS = 500;
const LISTS = ['tools', 'resources', 'prompts'];

type OnMessage = (message: Message) => void;

export type SessionOptions = {
  endpoint: Pick<Endpoint, 'listen' | 'leave'>;
  post(
    message: Message,
    session: Session | undefined,
    onMessage: OnMessage,
  ): Promise<{ sessionId: string | undefined }>;
  write: OnMessage;
  note(sentence: string): void;
  closing: AbortSignal;
};

const isGone = (error: unknown): boolean => error instanceof CallFailed && error.reason === 'gone';

/** The session of a client of the sessionful era. One that Peta has forgotten is begun again, unseen by the client. */
export const createClientSession = ({ endpoint, post, write, note, closing }: SessionOptions) => {
  let initialize: Message | undefined;
  let session: Session | undefined;
  let renewing: Promise<void> | undefined;

  const begin = async (message: Message, onMessage: OnMessage): Promise<void> => {
    let version: unknown;
    const { sessionId } = await post(message, undefined, (answer) => {
      version = answer.result?.protocolVersion;
      onMessage(answer);
    });
    if (sessionId === undefined) return;
    initialize = message;
    session = { id: sessionId, version: typeof version === 'string' ? version : undefined };
  };

  /** Keeps the session's stream of notifications open for as long as the session is the current one. */
  const follow = async (own: Session): Promise<void> => {
    while (session === own && !closing.aborted) {
      try {
        await endpoint.listen(own, { signal: closing, onMessage: write });
      } catch (error) {
        if (error instanceof CallFailed && error.reason === 'refused') return;
        if (isGone(error)) await renew(own).catch(() => {});
      }
      await pause(LISTEN_AGAIN_MS, undefined, { signal: closing }).catch(() => {});
    }
  };

  const renewNow = async (): Promise<void> => {
    if (!initialize) throw new CallFailed('gone', 'The session ended before it began.');
    await begin(initialize, () => {});
    await post({ jsonrpc: '2.0', method: INITIALIZED }, session, () => {});
    if (session) void follow(session);
    note('Peta had forgotten the session, so it was begun again.');
    for (const kind of LISTS) write({ jsonrpc: '2.0', method: `notifications/${kind}/list_changed` });
  };

  /** The client's own handshake once more, unless that has been done since; the client had its answer long ago. */
  const renew = (gone: Session): Promise<void> => {
    if (session !== gone && !renewing) return Promise.resolve();
    renewing ??= renewNow().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };

  return {
    begin,

    isBegun: (): boolean => session !== undefined,

    async post(message: Message, onMessage: OnMessage): Promise<void> {
      await renewing?.catch(() => {});
      const own = session;
      try {
        await post(message, own, onMessage);
      } catch (error) {
        if (!isGone(error) || !own) throw error;
        await renew(own);
        await post(message, session, onMessage);
      } finally {
        // Also when Peta did not hear of it, as at a restart: the client counts on its stream from now on.
        if (message.method === INITIALIZED && session) void follow(session);
      }
    },

    async leave(): Promise<void> {
      if (session) await endpoint.leave(session);
    },
  };
};
