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

type Options = {
  /** After so long without a word the stream is opened, so that no intermediary takes a long call for a dead one. */
  openAfterMs: number;
  /** An open stream says something at least this often. */
  quietMs: number;
  open(): Pick<Stream, 'send' | 'keepAlive' | 'end'>;
};

/** Starts an answer. */
export const createAnswer = (exchange: Exchange, { openAfterMs, quietMs, open }: Options): Answer => {
  const mayStream = acceptsStream(exchange);
  let stream: ReturnType<Options['open']> | undefined;
  let isOver = false;
  let keepingAlive: NodeJS.Timeout | undefined;

  const opened = () => {
    clearTimeout(opening);
    stream ??= open();
    keepingAlive ??= setInterval(() => stream?.keepAlive(), quietMs).unref();
    return stream;
  };
  const opening = mayStream ? setTimeout(opened, openAfterMs).unref() : undefined;
  const close = (): boolean => {
    if (isOver) return false;
    isOver = true;
    clearTimeout(opening);
    clearInterval(keepingAlive);
    return true;
  };

  const finish = (status: number, message: Message) => {
    if (!close()) return;
    if (!stream) return exchange.json(status, message);
    stream.send(message);
    stream.end();
  };

  return {
    canStream: mayStream,
    notify(message) {
      if (!isOver && mayStream) opened().send(message);
    },
    finish: (message) => finish(200, message),
    fail: finish,
    abandon() {
      if (!close()) return;
      if (stream) stream.end();
      else if (mayStream) exchange.stream().end();
      else exchange.empty(202);
    },
  };
};
