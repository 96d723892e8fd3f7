import { and, eq } from 'drizzle-orm';
import { acrossWorkspaces, type Database, inWorkspace, schema } from '#db';
import type { EndpointStore } from '../endpoints.ts';

const { endpoints } = schema;

const columns = {
  workspaceId: endpoints.workspaceId,
  name: endpoints.id,
  enabled: endpoints.enabled,
  anonymous: endpoints.anonymous,
  nameStyle: endpoints.nameStyle,
  selection: endpoints.selection,
};

/** What the gateway needs to know of endpoints. */
export const postgresEndpoints = (db: Database): EndpointStore => ({
  all: () => acrossWorkspaces(() => db.select(columns).from(endpoints)),
  async one(workspaceId, name) {
    const [row] = await inWorkspace(workspaceId, () =>
      db
        .select(columns)
        .from(endpoints)
        .where(and(eq(endpoints.workspaceId, workspaceId), eq(endpoints.id, name))),
    );
    return row;
  },
});
