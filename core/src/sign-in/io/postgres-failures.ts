import { and, eq, gt, inArray, lt, sql } from 'drizzle-orm';
import { type Database, schema } from '#db';
import { type FailureStore, WINDOW_MS, waitOf } from '../throttle.ts';

const { signInFailures: failures } = schema;

/** Networks that somebody got in from stand in the same table, with no failure. */
const KNOWN = 'known:';

export const postgresFailures = (db: Database): FailureStore => ({
  take: (gates, now) =>
    db.transaction(async (tx) => {
      const sorted = [...gates].sort((a, b) => (a.key < b.key ? -1 : 1));
      // One try at a time for each key on all replicas, also for a key that has no row yet.
      for (const { key } of sorted) await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`);
      const keys = sorted.map(({ key }) => key);
      const rows = await tx.select().from(failures).where(inArray(failures.key, keys));
      const held = new Map(rows.map((row) => [row.key, row]));
      const waits = sorted.map((gate) => {
        const row = held.get(gate.key);
        return row ? waitOf(row, gate, now) : 0;
      });
      const wait = Math.max(0, ...waits);
      if (wait > 0) return wait;
      const since = new Date(now.getTime() - WINDOW_MS);
      await tx
        .insert(failures)
        .values(keys.map((key) => ({ key, count: 1, lastAt: now })))
        .onConflictDoUpdate({
          target: failures.key,
          set: {
            count: sql`case when ${failures.lastAt} <= ${since.toISOString()}::timestamptz then 1 else ${failures.count} + 1 end`,
            lastAt: now,
          },
        });
      return 0;
    }),
  async giveBack(keys) {
    if (keys.length === 0) return;
    await db
      .update(failures)
      .set({ count: sql`${failures.count} - 1` })
      .where(and(inArray(failures.key, [...keys]), gt(failures.count, 0)));
  },
  async forget(keys) {
    await db.delete(failures).where(inArray(failures.key, [...keys]));
  },
  async remember(key, now) {
    await db
      .insert(failures)
      .values({ key: KNOWN + key, count: 0, lastAt: now })
      .onConflictDoUpdate({ target: failures.key, set: { lastAt: now } });
  },
  async isKnown(key) {
    const rows = await db
      .select({ key: failures.key })
      .from(failures)
      .where(eq(failures.key, KNOWN + key));
    return rows.length > 0;
  },
  async sweep(before) {
    await db.delete(failures).where(and(lt(failures.lastAt, before), sql`${failures.key} not like ${`${KNOWN}%`}`));
    const longAgo = new Date(before.getTime() - 90 * 86_400_000);
    await db.delete(failures).where(lt(failures.lastAt, longAgo));
  },
});
