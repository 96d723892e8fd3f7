import { and, asc, eq } from 'drizzle-orm';
import { schema } from '#db';
import type { AgentStore } from '../agents.ts';
import { toUser } from './postgres-users.ts';
import type { Queries } from './queries.ts';

const { users } = schema;

export const postgresAgents = (db: Queries): AgentStore => ({
  async list(workspaceId, { ownerUserId, ownerTeamId }) {
    const rows = await db
      .select()
      .from(users)
      .where(
        and(
          eq(users.workspaceId, workspaceId),
          eq(users.kind, 'agent'),
          ownerUserId === undefined ? undefined : eq(users.ownerUserId, ownerUserId),
          ownerTeamId === undefined ? undefined : eq(users.ownerTeamId, ownerTeamId),
        ),
      )
      .orderBy(asc(users.id));
    return rows.map(toUser);
  },
});
