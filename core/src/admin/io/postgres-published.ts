import { randomUUID } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { type Database, schema } from '#db';

const { users, tokens } = schema;

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
    db.transaction(async (tx) => {
      await tx
        .update(users)
        .set({ encryptedToken: envelope })
        .where(and(eq(users.workspaceId, workspaceId), eq(users.id, userId)));
      await tx
        .insert(tokens)
        .values({ id: randomUUID(), workspaceId, userId, name: 'published', hash, mask: `${hash.slice(0, 6)}…` })
        .onConflictDoNothing();
    }),
});
