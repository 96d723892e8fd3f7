import { and, eq, sql } from 'drizzle-orm';
import type { Listing } from '#call';
import { acrossWorkspaces, type Database, inWorkspace, schema } from '#db';
import type { Offer } from '../naming.ts';
import type { ServerStore } from '../registry.ts';

const { servers } = schema;

const columns = {
  workspaceId: servers.workspaceId,
  serverId: servers.id,
  serverName: servers.name,
  enabled: servers.enabled,
  publicAccess: servers.publicAccess,
  anonymousAccess: servers.anonymousAccess,
  anonymousRateLimit: servers.anonymousRateLimit,
  lazyStartEnabled: servers.lazyStartEnabled,
  environment: servers.environment,
  switches: servers.switches,
  revision: sql<string>`md5(${servers.sealedLaunchConfig})`,
  listing: servers.listing,
};

/** What the gateway needs to know of servers; launch configurations stay sealed in their column. */
export const postgresServers = (db: Database): ServerStore => ({
  async all() {
    const rows = await acrossWorkspaces(() => db.select(columns).from(servers));
    return rows.map(({ listing, ...server }): Offer => ({ server, listing: listing ?? undefined }));
  },

  async one(workspaceId, serverId) {
    const [row] = await inWorkspace(workspaceId, () =>
      db
        .select(columns)
        .from(servers)
        .where(and(eq(servers.workspaceId, workspaceId), eq(servers.id, serverId))),
    );
    if (!row) return undefined;
    const { listing, ...server } = row;
    return { server, listing: listing ?? undefined };
  },

  async saveListing(workspaceId: string, serverId: string, listing: Listing) {
    await inWorkspace(workspaceId, () =>
      db
        .update(servers)
        .set({ listing, listedAt: new Date() })
        .where(and(eq(servers.workspaceId, workspaceId), eq(servers.id, serverId))),
    );
  },
});
