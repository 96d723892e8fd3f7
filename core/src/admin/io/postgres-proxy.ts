import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { ProxyRow, ProxyStore } from '../proxy.ts';

const { workspaces } = schema;

const toProxy = (row: typeof workspaces.$inferSelect | undefined): ProxyRow | undefined =>
  row?.proxyKey && row.proxyCreatedAt
    ? { id: row.number, name: row.name, proxyKey: row.proxyKey, createdAt: row.proxyCreatedAt }
    : undefined;

export const postgresProxy = (db: Database): ProxyStore => {
  const named = (workspaceId: string, id: number) =>
    and(eq(workspaces.id, workspaceId), eq(workspaces.number, id), isNotNull(workspaces.proxyKey));
  return {
    async proxy(workspaceId) {
      const [row] = await db.select().from(workspaces).where(eq(workspaces.id, workspaceId));
      return toProxy(row);
    },
    async nameProxy(workspaceId, name, proxyKey) {
      const [row] = await db
        .update(workspaces)
        .set({ name, proxyKey, proxyCreatedAt: new Date() })
        .where(and(eq(workspaces.id, workspaceId), isNull(workspaces.proxyKey)))
        .returning();
      return toProxy(row);
    },
    async renameProxy(workspaceId, id, name) {
      const [row] = await db.update(workspaces).set({ name }).where(named(workspaceId, id)).returning();
      return toProxy(row);
    },
    async forgetProxy(workspaceId, id) {
      const forgotten = await db
        .update(workspaces)
        .set({ proxyKey: null, proxyCreatedAt: null })
        .where(named(workspaceId, id))
        .returning({ id: workspaces.id });
      return forgotten.length > 0;
    },
  };
};
