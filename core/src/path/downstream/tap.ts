import type { JSONRPCMessage, Transport, TransportSendOptions } from '@modelcontextprotocol/client';

export type TapMessage = JSONRPCMessage;

/** A transport of which some messages are taken before the SDK's client sees them. */
export type Tap = Transport & {
  /** The other side closed first. */
  readonly endedByItself: boolean;
  /** Why it closed, where the transport knows. */
  readonly reason: string | undefined;
};

type Reasoned = Transport & { readonly closeReason?: string | undefined };

/** Puts `take` in front of whoever owns the transport; a message it takes goes no further. */
export const createTap = (inner: Reasoned, take: (message: TapMessage) => boolean): Tap => {
  let isClosing = false;
  let endedByItself = false;
  const tap: Tap = {
    start: () => inner.start(),
    send: (message: JSONRPCMessage, options?: TransportSendOptions) => inner.send(message, options),
    close: async () => {
      isClosing = true;
      await inner.close();
    },
    setProtocolVersion: (version: string) => inner.setProtocolVersion?.(version),
    get sessionId() {
      return inner.sessionId;
    },
    get endedByItself() {
      return endedByItself;
    },
    get reason() {
      return inner.closeReason;
    },
    ...(inner.hasPerRequestStream !== undefined && { hasPerRequestStream: inner.hasPerRequestStream }),
    // The SDK recognises a stdio transport by these two.
    ...('stderr' in inner && 'pid' in inner && { stderr: null, pid: null }),
  };
  inner.onmessage = (message, extra) => {
    if (!take(message)) tap.onmessage?.(message, extra);
  };
  inner.onerror = (error) => tap.onerror?.(error);
  inner.onclose = () => {
    endedByItself ||= !isClosing;
    tap.onclose?.();
  };
  return tap;
};
