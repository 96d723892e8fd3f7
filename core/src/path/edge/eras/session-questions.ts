import { randomUUID } from 'node:crypto';
import type { Question, Reply } from '#call';
import type { RequestId } from '../ids.ts';
import { type Message, notificationMessage } from '../wire.ts';

type Send = (message: Message) => void;

const failure = (message: string): Reply => ({ error: { code: -32603, message } });
const WITHDRAWN = failure('The question was withdrawn.');
const ENDED = failure('The session ended before the client answered.');

/** Requests of servers to clients that have a session: sent on a stream, answered by a POST. */
export const createQuestions = (timeoutMs: number) => {
  const sessions = new Map<string, Map<string, (reply: Reply) => void>>();

  return {
    /** Puts the question to the client of the session and waits, not without end, for its answer. */
    ask: (sessionId: string, { method, params }: Question, send: Send, signal: AbortSignal): Promise<Reply> =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve(WITHDRAWN);
        const id = `peta:${randomUUID()}`;
        const open = sessions.get(sessionId) ?? new Map<string, (reply: Reply) => void>();
        sessions.set(sessionId, open);
        const settle = (reply: Reply) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', withdraw);
          open.delete(id);
          if (open.size === 0) sessions.delete(sessionId);
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
        send({ jsonrpc: '2.0', id, method, params });
      }),

    /** Takes the client's answer; false when this session was not asked that. */
    answered(sessionId: string, id: RequestId, reply: Reply): boolean {
      const settle = typeof id === 'string' ? sessions.get(sessionId)?.get(id) : undefined;
      settle?.(reply);
      return settle !== undefined;
    },

    ended(sessionId: string): void {
      for (const settle of [...(sessions.get(sessionId)?.values() ?? [])]) settle(ENDED);
    },
  };
};
