import type { EndpointChanges } from '@peta/api';
import { and, asc, eq } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { EndpointStore, StoredEndpoint } from '../endpoints.ts';

const { endpoints } = schema;

const toEndpoint = (row: typeof endpoints.$inferSelect): StoredEndpoint => ({
  name: row.id,
  description: row.description,
  enabled: row.enabled,
  anonymous: row.anonymous,
  nameStyle: row.nameStyle,
  selection: row.selection,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

const columnsOf = (changes: EndpointChanges) =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));

export const postgresEndpoints = (db: Database): EndpointStore => {
  const one = (workspaceId: string, name: string) =>
    and(eq(endpoints.workspaceId, workspaceId), eq(endpoints.id, name));
  return {
    async list(workspaceId) {
      const rows = await db
        .select()
        .from(endpoints)
        .where(eq(endpoints.workspaceId, workspaceId))
        .orderBy(asc(endpoints.id));
      return rows.map(toEndpoint);
    },
    async find(workspaceId, name) {
      const [row] = await db.select().from(endpoints).where(one(workspaceId, name));
      return row && toEndpoint(row);
    },
    async create(workspaceId, { name, selection, ...rest }) {
      const [row] = await db
        .insert(endpoints)
        .values({ ...columnsOf(rest), workspaceId, id: name, selection })
        .onConflictDoNothing()
        .returning();
      return row && toEndpoint(row);
    },
    async update(workspaceId, name, changes) {
      const [row] = await db
        .update(endpoints)
        .set({ ...columnsOf(changes), updatedAt: new Date() })
        .where(one(workspaceId, name))
        .returning();
      return row && toEndpoint(row);
    },
    async remove(workspaceId, name) {
      return (await db.delete(endpoints).where(one(workspaceId, name)).returning({ id: endpoints.id })).length > 0;
    },
  };
};
