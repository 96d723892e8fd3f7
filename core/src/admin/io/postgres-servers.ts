import { and, asc, eq } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { ServerStore, StoredServer } from '../servers.ts';

const { servers } = schema;
type Changes = Parameters<ServerStore['update']>[2];

const toServer = (row: typeof servers.$inferSelect): StoredServer => ({
  serverId: row.id,
  serverName: row.name,
  category: row.category,
  authType: row.authType,
  environment: row.environment,
  enabled: row.enabled,
  transport: row.transport,
  capabilities: row.switches,
  configTemplate: row.configTemplate,
  allowUserInput: row.allowUserInput,
  lazyStartEnabled: row.lazyStartEnabled,
  publicAccess: row.publicAccess,
  anonymousAccess: row.anonymousAccess,
  anonymousRateLimit: row.anonymousRateLimit,
  toolTmplId: row.toolTmplId,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

const columnsOf = ({ serverName, capabilities, ...rest }: Changes) => ({
  ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
  ...(serverName !== undefined && { name: serverName }),
  ...(capabilities !== undefined && { switches: capabilities }),
});

export const postgresServers = (db: Database): ServerStore => {
  const one = (workspaceId: string, serverId: string) =>
    and(eq(servers.workspaceId, workspaceId), eq(servers.id, serverId));
  return {
    async list(workspaceId, enabled) {
      const rows = await db
        .select()
        .from(servers)
        .where(
          and(eq(servers.workspaceId, workspaceId), enabled === undefined ? undefined : eq(servers.enabled, enabled)),
        )
        .orderBy(asc(servers.id));
      return rows.map(toServer);
    },
    async find(workspaceId, serverId) {
      const [row] = await db.select().from(servers).where(one(workspaceId, serverId));
      return row && toServer(row);
    },
    async create(workspaceId, { serverId, category, transport, sealedLaunchConfig, serverName, ...rest }) {
      const [row] = await db
        .insert(servers)
        .values({
          ...columnsOf(rest),
          workspaceId,
          id: serverId,
          name: serverName ?? serverId,
          category,
          transport,
          sealedLaunchConfig,
        })
        .onConflictDoNothing()
        .returning();
      return row && toServer(row);
    },
    async update(workspaceId, serverId, changes) {
      const [row] = await db
        .update(servers)
        .set({ ...columnsOf(changes), updatedAt: new Date() })
        .where(one(workspaceId, serverId))
        .returning();
      return row && toServer(row);
    },
    async remove(workspaceId, serverId) {
      return (await db.delete(servers).where(one(workspaceId, serverId)).returning({ id: servers.id })).length > 0;
    },
    async removeAll(workspaceId) {
      const removed = await db
        .delete(servers)
        .where(eq(servers.workspaceId, workspaceId))
        .returning({ id: servers.id });
      return removed.map(({ id }) => id);
    },
  };
};
