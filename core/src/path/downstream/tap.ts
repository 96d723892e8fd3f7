import type { JSONRPCMessage, Transport, TransportSendOptions } from '@modelcontextprotocol/client';
import { rounded } from '#lib/exact-number';
import { sendingAs, sendingNameless, sentAs } from '#lib/sending';

export type TapMessage = JSONRPCMessage;

/** Why a connection is not to be used any more: it failed, or the server merely forgot the session. */
export type Ending = { kind: 'failed' | 'expired'; reason: string };

/** A transport that may know why it closed, and may learn that it is to be replaced while requests are under way. */
export type Way = Transport & {
  readonly closeReason?: string | undefined;
  onretire?: ((ending: Ending) => void) | undefined;
};

/** A transport of which some messages are taken before the SDK's client sees them. */
export type Tap = Transport & {
  /** The other side closed first. */
  readonly endedByItself: boolean;
  /** Why it closed, where the transport knows. */
  readonly reason: string | undefined;
};

const nameless = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Takes a message; `stream` is the id of the request on whose own stream it came, where the transport has such. */
export type Take = (message: TapMessage, stream: string | undefined) => boolean;

/**
 * Puts `take` in front of whoever owns the transport; a message it takes goes no further. Whatever a server sends, reading
 * it throws at nobody.
 */
export const createTap = (inner: Way, take: Take): Tap => {
  let isClosing = false;
  let endedByItself = false;
  const tap: Tap = {
    start: () => inner.start(),
    send: (message: JSONRPCMessage, options?: TransportSendOptions) =>
      'method' in message && 'id' in message
        ? sendingAs(String(message.id), () => inner.send(message, options))
        : sendingNameless(() => inner.send(message, options)),
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
    try {
      // The SDK reads numbers, so it is given ordinary ones.
      if (!take(message, inner.hasPerRequestStream ? sentAs() : undefined))
        tap.onmessage?.(rounded(message) as TapMessage, extra);
    } catch (error) {
      tap.onerror?.(nameless(error));
    }
  };
  inner.onerror = (error) => tap.onerror?.(error);
  inner.onclose = () => {
    endedByItself ||= !isClosing;
    tap.onclose?.();
  };
  return tap;
};
