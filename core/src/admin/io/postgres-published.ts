import { randomUUID } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { Queries } from './queries.ts';

const { users, tokens } = schema;

const keepEnvelope = async (db: Queries, workspaceId: string, userId: string, envelope: string): Promise<void> => {
  await db
    .update(users)
    .set({ encryptedToken: envelope })
    .where(and(eq(users.workspaceId, workspaceId), eq(users.id, userId)));
};

/** Makes a token work, by its hash or by the first half of it, and keeps its envelope. */
export const adoptToken = (
  db: Queries,
  workspaceId: string,
  userId: string,
  hash: string,
  envelope: string,
): Promise<void> =>
  db.transaction(async (tx) => {
    await keepEnvelope(tx, workspaceId, userId, envelope);
    await tx
      .insert(tokens)
      .values({ id: randomUUID(), workspaceId, userId, name: 'published', hash, mask: `${hash.slice(0, 6)}…` })
      .onConflictDoNothing();
  });

/** What only the published interface keeps: envelopes of people's tokens, and tokens known by half a hash. */
export const postgresPublished = (db: Database) => ({
  async encryptedTokens(workspaceId: string): Promise<Record<string, string | null>> {
    const rows = await db
      .select({ id: users.id, encryptedToken: users.encryptedToken })
      .from(users)
      .where(eq(users.workspaceId, workspaceId));
    return Object.fromEntries(rows.map(({ id, encryptedToken }) => [id, encryptedToken]));
  },

  adoptToken: (workspaceId: string, userId: string, hash: string, envelope: string): Promise<void> =>
    adoptToken(db, workspaceId, userId, hash, envelope),

  keepEnvelope: (workspaceId: string, userId: string, envelope: string): Promise<void> =>
    keepEnvelope(db, workspaceId, userId, envelope),

  /** The owner as the published interface shows them to anybody, or null when there is none yet. */
  async publicOwner(workspaceId: string): Promise<Record<string, unknown> | null> {
    const { id, name, role, status, encryptedToken } = users;
    const [owner] = await db
      .select({ userId: id, name, role, status, encryptedToken })
      .from(users)
      .where(and(eq(users.workspaceId, workspaceId), eq(role, 1)));
    return owner ?? null;
  },
});
