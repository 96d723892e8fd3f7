import { and, eq, gt } from 'drizzle-orm';
import { acrossWorkspaces, type Database, schema } from '#db';
import type { SetupStore } from '../setup.ts';
import { adoptToken } from './postgres-published.ts';
import { postgresTokens } from './postgres-tokens.ts';
import { postgresUsers } from './postgres-users.ts';
import type { Queries } from './queries.ts';

const { setupLinks, workspaces, passwords } = schema;

/** One at a time for each workspace, so that there is one link and one first owner. */
const lock = (db: Queries, workspaceId: string) =>
  db.select({ id: workspaces.id }).from(workspaces).where(eq(workspaces.id, workspaceId)).for('update');

export const postgresSetup = (db: Database): SetupStore => ({
  saveSetupLink: (workspaceId, hash, expiresAt) =>
    acrossWorkspaces(() =>
      db.transaction(async (tx) => {
        await lock(tx, workspaceId);
        await tx.delete(setupLinks).where(eq(setupLinks.workspaceId, workspaceId));
        await tx.insert(setupLinks).values({ hash, workspaceId, expiresAt });
      }),
    ),

  useSetupLink: (hash, now, use) =>
    acrossWorkspaces(() =>
      db.transaction(async (tx) => {
        const [link] = await tx
          .delete(setupLinks)
          .where(and(eq(setupLinks.hash, hash), gt(setupLinks.expiresAt, now)))
          .returning();
        if (!link) return undefined;
        await lock(tx, link.workspaceId);
        return use(link.workspaceId, {
          users: postgresUsers(tx),
          tokens: postgresTokens(tx),
          adoptToken: (...token) => adoptToken(tx, ...token),
          async setPassword(workspaceId, userId, hash) {
            await tx
              .insert(passwords)
              .values({ workspaceId, userId, hash, changedAt: now })
              .onConflictDoUpdate({ target: [passwords.workspaceId, passwords.userId], set: { hash, changedAt: now } });
          },
        });
      }),
    ),
});
