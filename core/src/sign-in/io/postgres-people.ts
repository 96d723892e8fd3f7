import { and, eq, isNotNull, or, sql } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { PeopleStore } from '../people.ts';

const { users, passwords, authenticators } = schema;
const ENABLED = 1;

export const postgresPeople = (db: Database): PeopleStore => ({
  async find(workspaceId, idOrEmail, now) {
    const [row] = await db
      .select({ user: users, hash: passwords.hash, confirmedAt: authenticators.confirmedAt })
      .from(users)
      .leftJoin(passwords, and(eq(passwords.workspaceId, users.workspaceId), eq(passwords.userId, users.id)))
      .leftJoin(
        authenticators,
        and(
          eq(authenticators.workspaceId, users.workspaceId),
          eq(authenticators.userId, users.id),
          isNotNull(authenticators.confirmedAt),
        ),
      )
      .where(
        and(eq(users.workspaceId, workspaceId), or(eq(users.id, idOrEmail), eq(users.email, idOrEmail.toLowerCase()))),
      )
      .orderBy(sql`${users.id} = ${idOrEmail} desc`)
      .limit(1);
    if (!row) return undefined;
    const { user } = row;
    return {
      workspaceId,
      userId: user.id,
      name: user.name,
      email: user.email,
      createdAt: user.createdAt,
      isWelcome: user.kind === 'person' && user.status === ENABLED && (user.expiresAt === null || user.expiresAt > now),
      passwordHash: row.hash,
      hasAuthenticator: row.confirmedAt !== null,
    };
  },
  async setPassword({ workspaceId, userId }, hash, now) {
    await db
      .insert(passwords)
      .values({ workspaceId, userId, hash, changedAt: now })
      .onConflictDoUpdate({ target: [passwords.workspaceId, passwords.userId], set: { hash, changedAt: now } });
  },
});
