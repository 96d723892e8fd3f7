import { and, eq, gt, lte } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { StepStore } from '../steps.ts';

const { signInSteps: steps } = schema;

export const postgresSteps = (db: Database): StepStore => {
  const good = (hash: string, now: Date) => and(eq(steps.hash, hash), gt(steps.expiresAt, now));
  return {
    async put(hash, sealed, expiresAt) {
      await db
        .insert(steps)
        .values({ hash, sealed, expiresAt })
        .onConflictDoUpdate({ target: steps.hash, set: { sealed, expiresAt } });
    },
    async peek(hash, now) {
      const [row] = await db.select().from(steps).where(good(hash, now));
      return row?.sealed;
    },
    async take(hash, now) {
      const [row] = await db.delete(steps).where(good(hash, now)).returning();
      return row?.sealed;
    },
    async mark(hash, expiresAt) {
      const rows = await db.insert(steps).values({ hash, sealed: '', expiresAt }).onConflictDoNothing().returning();
      return rows.length === 1;
    },
    async sweep(now) {
      await db.delete(steps).where(lte(steps.expiresAt, now));
    },
  };
};
