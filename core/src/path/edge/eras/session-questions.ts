import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Question, Reply } from '#call';
import type { RequestId } from '../ids.ts';
import { type Message, notificationMessage } from '../wire.ts';

type Send = (message: Message) => void;

const failure = (message: string): Reply => ({ error: { code: -32603, message } });
const WITHDRAWN = failure('The question was withdrawn.');
const ENDED = failure('The session ended before the client answered.');
const NO_STREAM = failure('The client has no stream open, so it cannot be asked outside a call.');

/** 2025-11-25 gives each page that a user is sent to an id; servers of later revisions give none. */
const withPageId = (params: Question['params']): Question['params'] =>
  params.mode === 'url' ? { elicitationId: randomUUID(), ...params } : params;

/** Messages between processes. */
export type MailPort = {
  send(to: string, body: object): Promise<void>;
  listen(listener: (body: unknown) => void): () => void;
};

type Options = { timeoutMs: number; processId: string; mail: MailPort };

/** An answer that came to another process than the one that asked. */
const Forwarded = z.object({
  kind: z.literal('question-answered'),
  session: z.string(),
  id: z.string(),
  reply: z.custom<Reply>((reply) => typeof reply === 'object' && reply !== null),
});
const ASKED_BY = /^peta:([0-9a-f-]{36}):/;

/**
 * Requests of servers to clients that have a session: sent on a stream, answered by a POST, to whichever process that
 * comes.
 */
export const createQuestions = ({ timeoutMs, processId, mail }: Options) => {
  const sessions = new Map<string, Map<string, (reply: Reply) => void>>();

  /** Puts the question to the client of the session and waits, not without end, for its answer. */
  const ask = (sessionId: string, { method, params }: Question, send: Send, signal: AbortSignal): Promise<Reply> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve(WITHDRAWN);
      const id = `peta:${processId}:${randomUUID()}`;
      const open = sessions.get(sessionId) ?? new Map<string, (reply: Reply) => void>();
      sessions.set(sessionId, open);
      const settle = (reply: Reply) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', withdraw);
        open.delete(id);
        if (open.size === 0 && sessions.get(sessionId) === open) sessions.delete(sessionId);
        resolve(reply);
      };
      const giveUp = (reply: Reply) => {
        send(notificationMessage('notifications/cancelled', { requestId: id }));
        settle(reply);
      };
      const withdraw = () => giveUp(WITHDRAWN);
      const late = failure(`The client did not answer ${method} within ${timeoutMs / 1000} s.`);
      const timer = setTimeout(() => giveUp(late), timeoutMs);
      timer.unref();
      signal.addEventListener('abort', withdraw);
      open.set(id, settle);
      send({ jsonrpc: '2.0', id, method, params: withPageId(params) });
    });

  const settleHere = (sessionId: string, id: string, reply: Reply): boolean => {
    const settle = sessions.get(sessionId)?.get(id);
    settle?.(reply);
    return settle !== undefined;
  };
  mail.listen((body) => {
    const { data } = Forwarded.safeParse(body);
    if (data) settleHere(data.session, data.id, data.reply);
  });

  return {
    ask,

    /** Asks on the stream that the session has open at that moment, if it has one. */
    onStream:
      (sessionId: string, stream: () => Send | undefined) =>
      async (question: Question, signal: AbortSignal): Promise<Reply> => {
        const send = stream();
        return send ? ask(sessionId, question, send, signal) : NO_STREAM;
      },

    /** Takes the client's answer, and passes it to the process that asked. What nobody asked is let be. */
    async answered(session: string, id: RequestId, reply: Reply): Promise<void> {
      if (typeof id !== 'string' || settleHere(session, id, reply)) return;
      const asker = ASKED_BY.exec(id)?.[1];
      if (asker !== undefined && asker !== processId)
        await mail.send(asker, { kind: 'question-answered', session, id, reply });
    },

    ended(sessionId: string): void {
      for (const settle of [...(sessions.get(sessionId)?.values() ?? [])]) settle(ENDED);
    },
  };
};
