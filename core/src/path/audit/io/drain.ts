import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { eq, inArray, sql } from 'drizzle-orm';
import { acrossWorkspaces, type Database, schema } from '#db';
import { type Log, sentenceOf } from '#lib/log';
import { backoffMs, sleep } from '#lib/sleep';
import { Entry } from '../entry.ts';
import { listSegments, segmentName } from './journal.ts';

const { auditRecords, journalPositions, workspaces } = schema;
type Row = typeof auditRecords.$inferInsert;
type Position = { segment: number; offset: number };

const CHUNK_BYTES = 1024 * 1024;
const GATHER_MS = 200;
const ROWS_PER_INSERT = 500;
const NEWLINE = 10;
/** What PostgreSQL cannot hold: NUL and halves of surrogate pairs, which JSON writes as escapes only when they are alone. */
const UNSTORABLE = /\\u(0000|d[89a-f][0-9a-f]{2})/g;
/** SQLSTATE classes that blame the row: it will not do better next time. */
const ROW_REFUSED = /^(22|23|54)/;

type Options = {
  db: Database;
  folder: string;
  instanceId: string;
  /** Where the journal's next line will go. */
  head(): Position;
  log: Log;
};

const toRow = ({ event: _event, at, ...entry }: Entry): Row => ({
  ...entry,
  at: new Date(at),
  durationMs: entry.durationMs === undefined || entry.durationMs === null ? null : Math.round(entry.durationMs),
  outcome: entry.outcome ?? 'interrupted',
});

/** What `ended` adds to `began`: everything it knows, except the arguments, which only `began` carries. */
const merge = (began: Row | undefined, ended: Row): Row => ({
  ...began,
  ...ended,
  arguments: ended.arguments ?? began?.arguments,
});

const isRowRefused = (error: unknown): boolean =>
  error instanceof Error &&
  (('code' in error && ROW_REFUSED.test(String(error.code))) ||
    (error.cause !== undefined && isRowRefused(error.cause)));

const excluded = (column: string) => sql.raw(`excluded.${column}`);

/** Columns that the end of a call brings when its beginning is in the table already. */
const ENDED = {
  outcome: excluded('outcome'),
  error: excluded('error'),
  rule: excluded('rule'),
  serverId: excluded('server_id'),
  name: excluded('name'),
  durationMs: excluded('duration_ms'),
};

/**
 * Carries the journal into PostgreSQL in batches. The position is stored in the same transaction as the rows, so that
 * after a crash nothing is missing and nothing doubled; segments that are through are deleted.
 */
export const createDrain = ({ db, folder, instanceId, head, log }: Options) => {
  const closing = new AbortController();
  const firstOwn = head().segment;
  let position: Position | undefined;
  /** How many wait for the database to have caught up. */
  let flushing = 0;
  let hurry: (() => void) | undefined;
  let isNudged = false;
  let wake = () => {};

  const nudge = (): void => {
    isNudged = true;
    wake();
  };
  const rest = (): Promise<void> =>
    new Promise((done) => {
      wake = done;
      if (isNudged) done();
    });

  /** A position at or after this journal's first segment is of a journal that was lost: everything here is new. */
  const readPosition = async (): Promise<Position> => {
    const [row] = await db.select().from(journalPositions).where(eq(journalPositions.instanceId, instanceId));
    return row && row.segment < firstOwn ? { segment: row.segment, offset: row.offset } : { segment: 0, offset: 0 };
  };

  /** Whole lines from the position on, and where they end. What is not acknowledged yet may still be taken back. */
  const readLines = async (at: Position): Promise<{ lines: string[]; offset: number }> => {
    const { segment, offset } = head();
    const limit = at.segment === segment ? offset - at.offset : Number.POSITIVE_INFINITY;
    if (limit <= 0) return { lines: [], offset: at.offset };
    const file = await open(join(folder, segmentName(at.segment)), 'r');
    try {
      for (let size = CHUNK_BYTES; ; size *= 2) {
        const wanted = Math.min(size, limit);
        const { bytesRead, buffer } = await file.read(Buffer.alloc(wanted), 0, wanted, at.offset);
        const end = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE);
        if (end < 0 && bytesRead === size) continue;
        const lines = end < 0 ? [] : buffer.subarray(0, end).toString().split('\n');
        return { lines, offset: at.offset + end + 1 };
      }
    } finally {
      await file.close();
    }
  };

  const parse = (lines: readonly string[]): Row[] => {
    const rows = new Map<string, Row>();
    for (const line of lines) {
      try {
        const row = toRow(Entry.parse(JSON.parse(line.replace(UNSTORABLE, '\\ufffd'))));
        rows.set(row.id, merge(rows.get(row.id), row));
      } catch (error) {
        log.error('A line of the audit journal cannot be read and is passed over', { reason: sentenceOf(error) });
      }
    }
    return [...rows.values()];
  };

  const insert = async (tx: Pick<Database, 'insert'>, rows: Row[]): Promise<void> => {
    await tx
      .insert(auditRecords)
      .values(rows)
      .onConflictDoUpdate({
        target: auditRecords.id,
        set: ENDED,
        setWhere: sql`${auditRecords.outcome} = 'interrupted'`,
      });
  };

  /** Nothing is kept of a workspace that was removed; one that is here is not removed meanwhile. */
  const ofWorkspaces = async (tx: Pick<Database, 'select'>, found: readonly Row[]): Promise<Row[]> => {
    const ids = [...new Set(found.map(({ workspaceId }) => workspaceId))];
    if (ids.length === 0) return [];
    const rows = await tx
      .select({ id: workspaces.id })
      .from(workspaces)
      .where(inArray(workspaces.id, ids))
      .for('key share');
    const there = new Set(rows.map(({ id }) => id));
    return found.filter(({ workspaceId }) => there.has(workspaceId));
  };

  const store = (found: readonly Row[], next: Position, rowsPerInsert: number): Promise<void> =>
    db.transaction(async (tx) => {
      const rows = await ofWorkspaces(tx, found);
      for (let from = 0; from < rows.length; from += rowsPerInsert) {
        const some = rows.slice(from, from + rowsPerInsert);
        if (rowsPerInsert > 1) await insert(tx, some);
        else
          await tx
            .transaction((single) => insert(single, some))
            .catch((error: unknown) => {
              if (!isRowRefused(error)) throw error;
              log.error('The database refuses a line of the audit journal, which is passed over', { id: some[0]?.id });
            });
      }
      await tx
        .insert(journalPositions)
        .values({ instanceId, ...next })
        .onConflictDoUpdate({ target: journalPositions.instanceId, set: { ...next, updatedAt: new Date() } });
    });

  /** All at once; one by one when the database refuses one of them, so that it alone is passed over. */
  const storeWhatCanBe = async (rows: readonly Row[], next: Position): Promise<void> => {
    try {
      await store(rows, next, ROWS_PER_INSERT);
    } catch (error) {
      if (!isRowRefused(error)) throw error;
      await store(rows, next, 1);
    }
  };

  /** Moves on to the next segment that exists once this one is through and no more will be written to it. */
  const nextSegment = async (at: Position): Promise<Position | undefined> => {
    const segments = await listSegments(folder);
    for (const old of segments.filter((number) => number < at.segment)) await unlink(join(folder, segmentName(old)));
    const isThere = segments.includes(at.segment);
    if (isThere && at.segment >= head().segment) return undefined;
    const next = segments.find((number) => number > at.segment);
    return next === undefined ? undefined : { segment: next, offset: 0 };
  };

  /** One batch: how many lines it carried, or -1 when there is nothing left to carry. */
  const step = async (): Promise<number> => {
    position ??= await readPosition();
    const isThere = (await listSegments(folder)).includes(position.segment);
    const { lines, offset } = isThere ? await readLines(position) : { lines: [], offset: position.offset };
    if (lines.length > 0) {
      const next = { segment: position.segment, offset };
      await storeWhatCanBe(parse(lines), next);
      position = next;
      return lines.length;
    }
    const next = await nextSegment(position);
    if (!next) return -1;
    position = next;
    return 0;
  };

  /** A moment for more lines to come: one transaction for many costs calls far less than one for each. */
  const gather = (): Promise<void> => {
    if (flushing > 0 || closing.signal.aborted) return Promise.resolve();
    return new Promise((done) => {
      const timer = setTimeout(done, GATHER_MS);
      hurry = () => {
        clearTimeout(timer);
        done();
      };
    });
  };

  const isThrough = (target: Position): boolean =>
    position !== undefined &&
    (position.segment > target.segment || (position.segment === target.segment && position.offset >= target.offset));

  const run = async (): Promise<void> => {
    for (let failures = 0; !closing.signal.aborted; ) {
      isNudged = false;
      try {
        const carried = await step();
        if (failures > 0) log.info('The audit log reaches the database again');
        failures = 0;
        if (carried < 0) await rest();
        if (carried < ROWS_PER_INSERT) await gather();
      } catch (error) {
        if (failures === 0)
          log.warn('The audit log cannot reach the database and waits on disk', { reason: sentenceOf(error) });
        await sleep(backoffMs(failures, 100, 5_000), closing.signal);
        failures += 1;
      }
    }
  };

  const running = acrossWorkspaces(run);

  const flush = async (timeoutMs: number): Promise<boolean> => {
    const target = head();
    flushing += 1;
    hurry?.();
    try {
      for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(5)) {
        if (isThrough(target)) return true;
        nudge();
      }
      return false;
    } finally {
      flushing -= 1;
    }
  };

  return {
    /** There is something new in the journal. */
    nudge,
    /** Waits until everything appended so far is in the database; false when that took longer than `timeoutMs`. */
    flush,
    async close(): Promise<void> {
      await flush(3_000);
      closing.abort();
      hurry?.();
      nudge();
      await running;
    },
  };
};
