import { and, asc, eq, notExists } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { EnvironmentStore } from '../environments.ts';

const { environments, servers } = schema;

export const postgresEnvironments = (db: Database): EnvironmentStore => {
  const one = (workspaceId: string, environmentId: string) =>
    and(eq(environments.workspaceId, workspaceId), eq(environments.id, environmentId));

  const list: EnvironmentStore['list'] = async (workspaceId) => {
    const [rows, members] = await Promise.all([
      db.select().from(environments).where(eq(environments.workspaceId, workspaceId)).orderBy(asc(environments.id)),
      db
        .select({ serverId: servers.id, environment: servers.environment })
        .from(servers)
        .where(eq(servers.workspaceId, workspaceId))
        .orderBy(asc(servers.id)),
    ]);
    return rows.map(({ id, name, createdAt }) => ({
      environmentId: id,
      name,
      servers: members.flatMap(({ serverId, environment }) => (environment === id ? [serverId] : [])),
      createdAt: createdAt.toISOString(),
    }));
  };
  const find: EnvironmentStore['find'] = async (workspaceId, environmentId) =>
    (await list(workspaceId)).find((environment) => environment.environmentId === environmentId);

  return {
    list,
    find,
    async create(workspaceId, id, name) {
      const made = await db.insert(environments).values({ workspaceId, id, name }).onConflictDoNothing().returning();
      return made.length > 0 ? find(workspaceId, id) : undefined;
    },
    async rename(workspaceId, id, name) {
      await db.update(environments).set({ name }).where(one(workspaceId, id));
      return find(workspaceId, id);
    },
    async remove(workspaceId, id) {
      const member = db
        .select({ id: servers.id })
        .from(servers)
        .where(and(eq(servers.workspaceId, workspaceId), eq(servers.environment, id)));
      const removed = await db
        .delete(environments)
        .where(and(one(workspaceId, id), notExists(member)))
        .returning();
      return removed.length > 0;
    },
  };
};
