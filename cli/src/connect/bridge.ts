import { CallFailed, type Post } from './post.ts';

type Message = { jsonrpc?: unknown; id?: string | number | null; method?: string; params?: unknown };

export type BridgeOptions = {
  post: Post;
  /** Opens the session's stream of notifications; resolves when it has ended. */
  listen(sessionId: string, onMessage: (message: unknown) => void): Promise<void>;
  /** Writes one message to the client. */
  write(message: unknown): void;
  note(sentence: string): void;
};

const PARSE_ERROR = -32700;
const UNAVAILABLE = -32603;
const SESSION_GONE = 404;

/** Carries JSON-RPC between a stdio client and one Peta; a session that Peta has forgotten is begun again unseen. */
export const createBridge = ({ post, listen, write, note }: BridgeOptions) => {
  let initialize: Message | undefined;
  let sessionId: string | undefined;
  let renewing: Promise<void> | undefined;

  const follow = (id: string): void => {
    listen(id, write)
      .catch(() => {})
      .finally(() => {
        // The stream of a live session is opened again; a new session brings its own.
        if (sessionId === id) setTimeout(() => sessionId === id && follow(id), 1_000).unref();
      });
  };

  const begin = async (message: Message, onMessage: (message: unknown) => void): Promise<void> => {
    const answered = await post(message, { sessionId: undefined, onMessage });
    if (answered.sessionId === undefined) return;
    initialize = message;
    sessionId = answered.sessionId;
  };

  /** The client's own handshake once more; its answer is not for the client, who had it long ago. */
  const renew = (): Promise<void> => {
    renewing ??= (async () => {
      if (!initialize) throw new CallFailed(SESSION_GONE, 'The session ended before it began.');
      await begin(initialize, () => {});
      await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, { sessionId, onMessage: () => {} });
      if (sessionId) follow(sessionId);
      note('The session was begun again.');
    })().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };

  const forward = async (message: Message): Promise<void> => {
    if (message.method === 'initialize') return begin(message, write);
    try {
      await post(message, { sessionId, onMessage: write });
    } catch (error) {
      if (!(error instanceof CallFailed) || error.status !== SESSION_GONE || !sessionId) throw error;
      await renew();
      await post(message, { sessionId, onMessage: write });
    }
    if (message.method === 'notifications/initialized' && sessionId) follow(sessionId);
  };

  return {
    /** Takes one line of the client. Never rejects: what goes wrong is answered as a JSON-RPC error. */
    async take(line: string): Promise<void> {
      let message: Message;
      try {
        message = JSON.parse(line) as Message;
      } catch {
        return write({
          jsonrpc: '2.0',
          id: null,
          error: { code: PARSE_ERROR, message: 'Parse error: the line is not JSON.' },
        });
      }
      try {
        await forward(message);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        note(text);
        const isRequest = message?.id !== undefined && message?.id !== null && message?.method !== undefined;
        if (isRequest) write({ jsonrpc: '2.0', id: message.id, error: { code: UNAVAILABLE, message: text } });
      }
    },
    sessionId: () => sessionId,
  };
};
