import { and, asc, eq, gt, isNull, lt, sql } from 'drizzle-orm';
import { type Database, schema } from '#db';
import { keyFor, openText, sealText } from '#lib/sealed';
import { hashOfSession } from '../sessions.ts';

const { streams, streamEvents, processes } = schema;

/** One thing said on a stream: its number and its JSON. */
type StreamEvent = { number: number; text: string };

/** What is left of a stream for a client that comes back to it. */
type Replay = {
  events: StreamEvent[];
  /** Of a stream that answers one request: its id, as JSON. */
  requestId: string | null;
  state: 'open' | 'ended' | 'abandoned';
};

/** A process that has not said for so long that it lives is gone. */
const GONE_SECONDS = 12;

const keyOf = (sessionId: string): Buffer => keyFor(sessionId, 'peta stream events');

type Options = {
  db: Database;
  /** Names this process. */
  processId: string;
  instanceId: string;
};

/** A foreign key leads nowhere: what this belongs to has ended, and everything of it went along. */
const GONE = '23503';

/** False when the session, or the stream, has ended meanwhile. */
const unlessGone = async (run: () => Promise<void>): Promise<boolean> => {
  try {
    await run();
    return true;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof Error && 'code' in cause && cause.code === GONE) return false;
    throw error;
  }
};

/**
 * What was said on streams, for clients that come back after a break, a restart of Peta, or to another process. Events
 * are sealed with the session's id, which the database does not hold.
 */
export const postgresStreams = ({ db, processId, instanceId }: Options) => {
  const ofSession = (sessionId: string, id: string) =>
    and(eq(streams.id, id), eq(streams.session, hashOfSession(sessionId)));

  return {
    /** A stream begins; `requestId` is JSON, or null for the session's own. */
    async begin(sessionId: string, id: string, requestId: string | null): Promise<boolean> {
      return unlessGone(async () => {
        await db.insert(streams).values({ id, session: hashOfSession(sessionId), requestId, processId });
      });
    },

    /** Keeps what is about to be said; with `isLast` it is the last of this stream. */
    async append(sessionId: string, id: string, events: readonly StreamEvent[], isLast: boolean): Promise<boolean> {
      const key = keyOf(sessionId);
      const rows = events.map(({ number, text }) => ({
        stream: id,
        number,
        sealed: sealText(key, text, `${id} ${number}`),
      }));
      return unlessGone(async () => {
        if (rows.length > 0) await db.insert(streamEvents).values(rows).onConflictDoNothing();
        if (isLast) await db.update(streams).set({ endedAt: sql`now()` }).where(eq(streams.id, id));
      });
    },

    /** What was said after `after`, or undefined when this session has no such stream. */
    async replay(sessionId: string, id: string, after: number): Promise<Replay | undefined> {
      const [stream] = await db
        .select({ requestId: streams.requestId, endedAt: streams.endedAt, seenAt: processes.seenAt })
        .from(streams)
        .leftJoin(
          processes,
          and(
            eq(processes.id, streams.processId),
            gt(processes.seenAt, sql`now() - ${GONE_SECONDS} * interval '1 second'`),
          ),
        )
        .where(ofSession(sessionId, id));
      if (!stream) return undefined;
      const rows = await db
        .select()
        .from(streamEvents)
        .where(and(eq(streamEvents.stream, id), gt(streamEvents.number, after)))
        .orderBy(asc(streamEvents.number));
      const key = keyOf(sessionId);
      const state = stream.endedAt ? 'ended' : stream.seenAt ? 'open' : 'abandoned';
      return {
        events: rows.flatMap(({ number, sealed }) => {
          const text = openText(key, sealed, `${id} ${number}`);
          return text === undefined ? [] : [{ number, text }];
        }),
        requestId: stream.requestId,
        state,
      };
    },

    /** This process goes on with a stream that nobody writes to any more. */
    async adopt(sessionId: string, id: string): Promise<void> {
      await db.update(streams).set({ processId }).where(ofSession(sessionId, id));
    },

    /** Says that this process lives; an earlier one of the same home does not any more. */
    async alive(): Promise<void> {
      const values = { id: processId, instanceId, seenAt: sql`now()` };
      await db.delete(processes).where(and(eq(processes.instanceId, instanceId), sql`${processes.id} <> ${processId}`));
      await db
        .insert(processes)
        .values(values)
        .onConflictDoUpdate({ target: processes.id, set: { seenAt: sql`now()` } });
    },

    /** Removes streams that ended so long ago, and those that were left behind. */
    async sweep(keepMs: number): Promise<void> {
      const old = sql`now() - ${keepMs} * interval '1 millisecond'`;
      await db.delete(streams).where(lt(streams.endedAt, old));
      await db.delete(processes).where(lt(processes.seenAt, sql`now() - interval '1 day'`));
      await db
        .update(streams)
        .set({ endedAt: sql`now()` })
        .where(
          and(
            isNull(streams.endedAt),
            lt(streams.createdAt, old),
            sql`not exists (select 1 from process p where p.id = ${streams.processId} and p.seen_at > ${old})`,
          ),
        );
    },

    /** Does the process of this id still serve? */
    async isAlive(id: string): Promise<boolean> {
      const found = await db
        .select({ id: processes.id })
        .from(processes)
        .where(and(eq(processes.id, id), gt(processes.seenAt, sql`now() - ${GONE_SECONDS} * interval '1 second'`)));
      return found.length > 0;
    },

    /** This process is about to end. */
    async leave(): Promise<void> {
      await db.delete(processes).where(eq(processes.id, processId));
    },
  };
};
