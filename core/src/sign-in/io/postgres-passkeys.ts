import { and, asc, eq, lt } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { PasskeyStore } from '../passkeys.ts';
import type { PersonKey } from '../people.ts';

const { passkeys } = schema;

export const postgresPasskeys = (db: Database): PasskeyStore => {
  const of = ({ workspaceId, userId }: PersonKey) =>
    and(eq(passkeys.workspaceId, workspaceId), eq(passkeys.userId, userId));
  return {
    async find(id) {
      const [row] = await db.select().from(passkeys).where(eq(passkeys.id, id));
      return row;
    },
    list: (person) => db.select().from(passkeys).where(of(person)).orderBy(asc(passkeys.createdAt)),
    async add(passkey) {
      return (await db.insert(passkeys).values(passkey).onConflictDoNothing().returning()).length === 1;
    },
    async used(id, counter, now) {
      // Authenticators that do not count say 0 each time (WebAuthn §6.1.1).
      const isLater = counter === 0 ? eq(passkeys.counter, 0) : lt(passkeys.counter, counter);
      const rows = await db
        .update(passkeys)
        .set({ counter, lastUsedAt: now })
        .where(and(eq(passkeys.id, id), isLater))
        .returning();
      return rows.length === 1;
    },
    async rename(person, id, name) {
      const rows = await db
        .update(passkeys)
        .set({ name })
        .where(and(of(person), eq(passkeys.id, id)))
        .returning();
      return rows.length === 1;
    },
    async remove(person, id) {
      return (
        (
          await db
            .delete(passkeys)
            .where(and(of(person), eq(passkeys.id, id)))
            .returning()
        ).length === 1
      );
    },
  };
};
