import { acceptsStream, type Exchange, type Message, type Stream } from './exchange.ts';

/** The answer to one request: a single JSON body, or a stream once there is something to say before the result. */
export type Answer = {
  /** The client takes a stream, so that something can be said before the result. */
  canStream: boolean;
  /** A notification that belongs to this request; dropped where the client takes no stream. */
  notify(message: Message): void;
  finish(message: Message): void;
  /** A fault: an error under an HTTP status of its own where that can still be said. */
  fail(status: number, message: Message): void;
  /** Ends without a response, as for a cancelled request. */
  abandon(): void;
};

/**
 * Starts an answer. After `quietMs` without a word the stream is opened and kept alive, so that no intermediary takes
 * a long call for a dead one.
 */
export const createAnswer = (exchange: Exchange, quietMs: number, headers?: Record<string, string>): Answer => {
  const mayStream = acceptsStream(exchange);
  let stream: Stream | undefined;
  let isOver = false;

  const open = (): Stream => {
    stream ??= exchange.stream(headers);
    return stream;
  };
  const timer = mayStream ? setInterval(() => open().keepAlive(), quietMs) : undefined;
  timer?.unref();
  const close = (): boolean => {
    if (isOver) return false;
    isOver = true;
    clearInterval(timer);
    return true;
  };

  const finish = (status: number, message: Message) => {
    if (!close()) return;
    if (!stream) return exchange.json(status, message, headers);
    stream.send(message);
    stream.end();
  };

  return {
    canStream: mayStream,
    notify(message) {
      if (!isOver && mayStream) open().send(message);
    },
    finish: (message) => finish(200, message),
    fail: finish,
    abandon() {
      if (!close()) return;
      if (stream) stream.end();
      else if (mayStream) exchange.stream(headers).end();
      else exchange.empty(202, headers);
    },
  };
};
