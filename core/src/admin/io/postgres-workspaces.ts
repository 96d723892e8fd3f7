import { asc, eq, sql } from 'drizzle-orm';
import { acrossWorkspaces, type Database, schema } from '#db';
import type { WorkspaceStore } from '../workspaces.ts';

const { workspaces, users, auditRecords } = schema;

const columns = {
  workspaceId: workspaces.id,
  name: workspaces.name,
  hasOwner: sql<boolean>`exists (select 1 from ${users} u where u.workspace_id = ${workspaces}.id and u.role = 1)`,
  createdAt: workspaces.createdAt,
};
const withTime = <T extends { createdAt: Date }>({ createdAt, ...row }: T) => ({
  ...row,
  createdAt: createdAt.toISOString(),
});

export const postgresWorkspaces = (db: Database): WorkspaceStore => {
  const find: WorkspaceStore['find'] = async (workspaceId) => {
    const [row] = await db.select(columns).from(workspaces).where(eq(workspaces.id, workspaceId));
    return row && withTime(row);
  };
  const store: WorkspaceStore = {
    async list() {
      return (await db.select(columns).from(workspaces).orderBy(asc(workspaces.id))).map(withTime);
    },
    find,
    async create(workspaceId, name) {
      const made = await db.insert(workspaces).values({ id: workspaceId, name }).onConflictDoNothing().returning();
      return made.length > 0 ? find(workspaceId) : undefined;
    },
    async rename(workspaceId, name) {
      await db.update(workspaces).set({ name }).where(eq(workspaces.id, workspaceId));
      return find(workspaceId);
    },
    remove: (workspaceId) =>
      db.transaction(async (tx) => {
        const removed = await tx.delete(workspaces).where(eq(workspaces.id, workspaceId)).returning();
        await tx.delete(auditRecords).where(eq(auditRecords.workspaceId, workspaceId));
        return removed.length > 0;
      }),
  };
  return {
    list: () => acrossWorkspaces(store.list),
    find: (workspaceId) => acrossWorkspaces(() => store.find(workspaceId)),
    create: (workspaceId, name) => acrossWorkspaces(() => store.create(workspaceId, name)),
    rename: (workspaceId, name) => acrossWorkspaces(() => store.rename(workspaceId, name)),
    remove: (workspaceId) => acrossWorkspaces(() => store.remove(workspaceId)),
  };
};
