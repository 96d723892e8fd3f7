import type { User, UserChanges } from '@peta/api';
import { and, asc, eq, gt, inArray, ne, type SQL, sql } from 'drizzle-orm';
import { schema } from '#db';
import type { UserStore } from '../users.ts';
import type { Queries } from './queries.ts';

const { users, tokens } = schema;
type Row = typeof users.$inferSelect;

export const toUser = (row: Row): User => ({
  userId: row.id,
  name: row.name,
  notes: row.notes,
  kind: row.kind,
  email: row.email,
  role: row.role === 1 || row.role === 2 ? row.role : 3,
  roleId: row.roleId,
  ownerUserId: row.ownerUserId,
  ownerTeamId: row.ownerTeamId,
  status: row.status === 0 || row.status === 2 || row.status === 3 ? row.status : 1,
  permissions: row.permissions,
  ratelimit: row.ratelimit,
  expiresAt: row.expiresAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

const columnsOf = ({ expiresAt, ...changes }: UserChanges) => ({
  ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
  ...(expiresAt !== undefined && { expiresAt: expiresAt === null ? null : new Date(expiresAt) }),
});

/** Removes people and agents, and with them their own agents and all tokens; returns the ids of who is gone. */
export const removeUsers = async (tx: Queries, workspaceId: string, which: SQL | undefined): Promise<string[]> => {
  const ofWorkspace = eq(users.workspaceId, workspaceId);
  const gone = await tx.delete(users).where(and(ofWorkspace, which)).returning({ id: users.id });
  const ids = gone.map(({ id }) => id);
  if (ids.length === 0) return [];
  const agents = await tx
    .delete(users)
    .where(and(ofWorkspace, inArray(users.ownerUserId, ids)))
    .returning({ id: users.id });
  const all = [...ids, ...agents.map(({ id }) => id)];
  await tx.delete(tokens).where(and(eq(tokens.workspaceId, workspaceId), inArray(tokens.userId, all)));
  return all;
};

export const postgresUsers = (db: Queries): UserStore => {
  const one = (workspaceId: string, userId: string): SQL | undefined =>
    and(eq(users.workspaceId, workspaceId), eq(users.id, userId));
  const first = async (where: SQL | undefined): Promise<User | undefined> => {
    const [row] = await db.select().from(users).where(where).limit(1);
    return row && toUser(row);
  };
  return {
    async list(workspaceId, { role, excludeRole }) {
      const rows = await db
        .select()
        .from(users)
        .where(
          and(
            eq(users.workspaceId, workspaceId),
            role === undefined ? undefined : eq(users.role, role),
            excludeRole === undefined ? undefined : ne(users.role, excludeRole),
          ),
        )
        .orderBy(asc(users.id));
      return rows.map(toUser);
    },
    find: (workspaceId, userId) => first(one(workspaceId, userId)),
    byEmail: (workspaceId, email) => first(and(eq(users.workspaceId, workspaceId), eq(users.email, email))),
    owner: (workspaceId) => first(and(eq(users.workspaceId, workspaceId), eq(users.role, 1))),
    async create(workspaceId, { userId, name, role, encryptedToken, ...changes }) {
      const [row] = await db
        .insert(users)
        .values({ workspaceId, id: userId, name, role, encryptedToken: encryptedToken ?? null, ...columnsOf(changes) })
        .onConflictDoNothing()
        .returning();
      return row && toUser(row);
    },
    async update(workspaceId, userId, changes) {
      const [row] = await db
        .update(users)
        .set({ ...columnsOf(changes), updatedAt: new Date() })
        .where(one(workspaceId, userId))
        .returning();
      return row && toUser(row);
    },
    remove: (workspaceId, userId) =>
      db.transaction(async (tx) => {
        const gone = await removeUsers(tx, workspaceId, eq(users.id, userId));
        return gone.includes(userId) ? gone : undefined;
      }),
    removeBelow: (workspaceId, role) => db.transaction((tx) => removeUsers(tx, workspaceId, gt(users.role, role))),
    async preferences(workspaceId, userId) {
      const [row] = await db.select({ preferences: users.preferences }).from(users).where(one(workspaceId, userId));
      return row?.preferences ?? {};
    },
    async setPreferences(workspaceId, userId, client, permissions) {
      const preferences =
        Object.keys(permissions).length === 0
          ? sql`${users.preferences} - ${client}::text`
          : sql`jsonb_set(${users.preferences}, array[${client}::text], ${JSON.stringify(permissions)}::jsonb)`;
      const [row] = await db
        .update(users)
        .set({ preferences, updatedAt: new Date() })
        .where(one(workspaceId, userId))
        .returning({ preferences: users.preferences });
      return row?.preferences ?? {};
    },
  };
};
