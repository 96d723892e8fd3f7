import { randomUUID } from 'node:crypto';
import { and, eq, lt, sql } from 'drizzle-orm';
import { type Database, schema } from '#db';
import { readJson } from '#lib/json';
import { type Log, sentenceOf } from '#lib/log';
import { keyFor, openText, sealText } from '#lib/sealed';
import type { Change } from '../bus.ts';

const { mail } = schema;

type Options = {
  db: Database;
  /** Names this process. */
  processId: string;
  /** Secret, the same in every process. */
  secret: Buffer;
  /** Tells every process. */
  publish(change: Change): Promise<void>;
  log: Log;
};

const KEEP_MINUTES = 10;

/** Messages from one process to another: rows that a notice on the bus points to. */
export const createPostgresMail = ({ db, processId, secret, publish, log }: Options) => {
  const key = keyFor(secret, 'peta mail');
  const listeners = new Set<(body: unknown) => void>();

  const deliver = (rows: readonly { id: string; sealed: string }[]): void => {
    for (const { id, sealed } of rows) {
      const text = openText(key, sealed, `${processId} ${id}`);
      try {
        for (const listener of listeners) listener(readJson(text ?? ''));
      } catch (error) {
        log.warn('A message of another process was not understood', { reason: sentenceOf(error) });
      }
    }
  };

  return {
    /** Sends JSON to the process of this id. Rejects when it cannot be sent; whether it is read is not known. */
    async send(to: string, body: object): Promise<void> {
      const id = randomUUID();
      await db.insert(mail).values({ id, processId: to, sealed: sealText(key, JSON.stringify(body), `${to} ${id}`) });
      await publish({ topic: 'mail', workspaceId: to, id });
    },

    /** Calls back with each message that is for this process. Returns the function that ends it. */
    listen(listener: (body: unknown) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    /** There is a message; `to` says for whom. */
    async arrived(to: string, id: string): Promise<void> {
      if (to !== processId) return;
      deliver(await db.delete(mail).where(eq(mail.id, id)).returning());
    },

    /** Notices may have been missed: takes whatever is there. */
    async fetch(): Promise<void> {
      deliver(await db.delete(mail).where(eq(mail.processId, processId)).returning());
    },

    /** Removes what nobody took. */
    async sweep(): Promise<void> {
      await db.delete(mail).where(and(lt(mail.createdAt, sql`now() - ${KEEP_MINUTES} * interval '1 minute'`)));
    },
  };
};

export type Mail = ReturnType<typeof createPostgresMail>;
