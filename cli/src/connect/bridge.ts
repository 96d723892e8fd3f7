import { setTimeout as pause } from 'node:timers/promises';
import { CallFailed, type Endpoint, type Session } from './endpoint.ts';
import { answers, errorAnswer, type Id, isRequest, type Message, readMessage, statedVersion } from './message.ts';
import { createClientSession, INITIALIZED } from './session.ts';
import { LISTEN, subscriptionOf } from './subscription.ts';

export type BridgeOptions = {
  endpoint: Endpoint;
  /** Writes one message to the client. */
  write(message: Message): void;
  note(sentence: string): void;
  /** How long a message is tried again while nothing listens at the address, as during a restart. */
  patienceMs: number;
};

type OnMessage = (message: Message) => void;

const CODE = { parse: -32700, invalidRequest: -32600, internal: -32603 } as const;
const RETRY_MS = 250;

const cancelledId = ({ params }: Message): Id => {
  const id = params?.requestId;
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
};

/** Carries JSON-RPC between one stdio client, of either era, and one Peta, also over a restart of Peta. */
export const createBridge = ({ endpoint, write, note, patienceMs }: BridgeOptions) => {
  const closing = new AbortController();
  /** What the client has asked and not been told yet. Cancelling a stateless request means closing its stream. */
  const open = new Map<Id, AbortController>();
  const pending = new Set<Promise<void>>();
  /** Settles once the handshake so far is done; what the client sends meanwhile waits for it. */
  let handshake: Promise<void> = Promise.resolve();

  const post = async (
    message: Message,
    session: Session | undefined,
    onMessage: OnMessage,
    signal = closing.signal,
  ): Promise<{ sessionId: string | undefined }> => {
    for (const deadline = Date.now() + patienceMs; ; await pause(RETRY_MS, undefined, { signal })) {
      try {
        return await endpoint.post(message, { session, signal, onMessage });
      } catch (error) {
        const isPatient = error instanceof CallFailed && error.reason === 'unreachable' && Date.now() < deadline;
        if (!isPatient) throw error;
      }
    }
  };

  const session = createClientSession({ endpoint, post, write, note, closing: closing.signal });

  const subscribe = async (message: Message, signal: AbortSignal): Promise<void> => {
    const subscription = subscriptionOf(message, write);
    while (!subscription.isRefused()) {
      try {
        await endpoint.post(message, { session: undefined, signal, onMessage: subscription.onMessage });
      } catch (error) {
        if (!(error instanceof CallFailed) || error.reason === 'refused') throw error;
      }
      await pause(RETRY_MS, undefined, { signal });
    }
  };

  const send = (message: Message, onMessage: OnMessage, signal: AbortSignal): Promise<unknown> => {
    if (message.method === LISTEN) return subscribe(message, signal);
    if (statedVersion(message) !== undefined) return post(message, undefined, onMessage, signal);
    return message.method === 'initialize' ? session.begin(message, onMessage) : session.post(message, onMessage);
  };

  /** Each request gets one answer, Peta's or an error of ours, unless the client no longer wants it. */
  const request = async (message: Message): Promise<void> => {
    const unwanted = new AbortController();
    open.set(message.id, unwanted);
    const signal = AbortSignal.any([closing.signal, unwanted.signal]);
    let isAnswered = false;
    const onMessage = (answer: Message): void => {
      isAnswered ||= answers(answer, message.id);
      write(answer);
    };
    try {
      await send(message, onMessage, signal);
      if (!isAnswered && message.method !== LISTEN)
        throw new CallFailed('lost', 'Peta ended the stream before the answer.');
    } catch (error) {
      if (signal.aborted || isAnswered) return;
      const text = error instanceof Error ? error.message : String(error);
      note(text);
      write(errorAnswer(message.id, CODE.internal, text));
    } finally {
      open.delete(message.id);
    }
  };

  const carry = async (message: Message): Promise<void> => {
    if (isRequest(message)) return request(message);
    if (message.method === 'notifications/cancelled') open.get(cancelledId(message))?.abort();
    // A stateless request was cancelled by closing its stream; it has no session to say so in.
    if (!session.isBegun()) return;
    await session.post(message, write).catch((error: unknown) => note(String(error)));
  };

  return {
    /** Takes one line of the client. What goes wrong is answered as a JSON-RPC error. */
    take(line: string): void {
      let content: unknown;
      try {
        content = JSON.parse(line);
      } catch {
        write(errorAnswer(null, CODE.parse, 'Parse error: the line is not JSON.'));
        return;
      }
      const message = Array.isArray(content) ? undefined : readMessage(content);
      if (!message) {
        write(errorAnswer(null, CODE.invalidRequest, 'The line is not one JSON-RPC message.'));
        return;
      }
      const carried = handshake.then(() => carry(message));
      if (message.method === 'initialize' || message.method === INITIALIZED) handshake = carried;
      if (message.method === LISTEN) return;
      pending.add(carried);
      void carried.finally(() => pending.delete(carried));
    },

    /** Ends the bridge: what was asked gets so long for its answer, then subscriptions and the session end. */
    async close(graceMs: number): Promise<void> {
      const answered = new AbortController();
      const limit = pause(graceMs, undefined, { signal: answered.signal }).catch(() => {});
      await Promise.race([Promise.all(pending), limit]);
      answered.abort();
      closing.abort();
      await session.leave();
    },
  };
};
