import { and, eq, isNotNull, isNull, lt, sql } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { AuthenticatorStore } from '../authenticators.ts';
import type { PersonKey } from '../people.ts';

const { authenticators } = schema;

/** Seals what only Peta itself may read, bound to its place. */
export type Sealer = {
  seal(text: string, place: { workspaceId: string; table: string; row: string; column: string }): string;
  open(sealed: string, place: { workspaceId: string; table: string; row: string; column: string }): string;
};

const placeOf = ({ workspaceId, userId }: PersonKey) => ({
  workspaceId,
  table: 'authenticator',
  row: userId,
  column: 'sealed_secret',
});

export const postgresAuthenticators = (db: Database, sealer: Sealer): AuthenticatorStore => {
  const of = ({ workspaceId, userId }: PersonKey) =>
    and(eq(authenticators.workspaceId, workspaceId), eq(authenticators.userId, userId));
  const inUse = (person: PersonKey) => and(of(person), isNotNull(authenticators.confirmedAt));
  const target = [authenticators.workspaceId, authenticators.userId];
  const didOne = (rows: unknown[]): boolean => rows.length === 1;
  const id = { id: authenticators.userId };

  return {
    async find(person) {
      const [row] = await db.select().from(authenticators).where(of(person));
      if (!row) return undefined;
      return {
        secret: sealer.open(row.sealedSecret, placeOf(person)),
        isConfirmed: row.confirmedAt !== null,
        recoveryLeft: row.recoveryHashes.length,
      };
    },
    async begin({ workspaceId, userId }, secret, now) {
      const sealedSecret = sealer.seal(secret, placeOf({ workspaceId, userId }));
      const rows = await db
        .insert(authenticators)
        .values({ workspaceId, userId, sealedSecret, createdAt: now })
        .onConflictDoUpdate({
          target,
          set: { sealedSecret, createdAt: now },
          setWhere: isNull(authenticators.confirmedAt),
        })
        .returning(id);
      return didOne(rows);
    },
    async confirm(person, step, recoveryHashes, now) {
      const rows = await db
        .update(authenticators)
        .set({ confirmedAt: now, lastStep: step, recoveryHashes })
        .where(and(of(person), isNull(authenticators.confirmedAt)))
        .returning(id);
      return didOne(rows);
    },
    async useStep(person, step) {
      const rows = await db
        .update(authenticators)
        .set({ lastStep: step })
        .where(and(inUse(person), lt(authenticators.lastStep, step)))
        .returning(id);
      return didOne(rows);
    },
    async useRecovery(person, hash) {
      const rows = await db
        .update(authenticators)
        .set({ recoveryHashes: sql`${authenticators.recoveryHashes} - ${hash}::text` })
        .where(and(inUse(person), sql`jsonb_exists(${authenticators.recoveryHashes}, ${hash})`))
        .returning(id);
      return didOne(rows);
    },
    async setRecovery(person, recoveryHashes) {
      await db.update(authenticators).set({ recoveryHashes }).where(inUse(person));
    },
    remove: async (person) => didOne(await db.delete(authenticators).where(of(person)).returning(id)),
  };
};
