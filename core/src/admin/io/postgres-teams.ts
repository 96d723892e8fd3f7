import type { Team, TeamChanges } from '@peta/api';
import { and, asc, eq, type SQL, sql } from 'drizzle-orm';
import { schema } from '#db';
import type { TeamStore } from '../teams.ts';
import { removeUsers } from './postgres-users.ts';
import type { Queries } from './queries.ts';

const { teams, teamMembers, users } = schema;

const columnsOf = (changes: TeamChanges) =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));

export const postgresTeams = (db: Queries): TeamStore => {
  const one = (workspaceId: string, teamId: string) => and(eq(teams.workspaceId, workspaceId), eq(teams.id, teamId));

  const select = async (where: SQL | undefined): Promise<Team[]> => {
    const rows = await db
      .select({
        team: teams,
        members: sql<string[]>`coalesce(array_agg(${teamMembers.userId} order by ${teamMembers.userId})
          filter (where ${teamMembers.userId} is not null), '{}')`,
      })
      .from(teams)
      .leftJoin(teamMembers, and(eq(teamMembers.workspaceId, teams.workspaceId), eq(teamMembers.teamId, teams.id)))
      .where(where)
      .groupBy(teams.workspaceId, teams.id)
      .orderBy(asc(teams.id));
    return rows.map(({ team, members }) => ({
      teamId: team.id,
      name: team.name,
      description: team.description,
      members,
      createdAt: team.createdAt.toISOString(),
      updatedAt: team.updatedAt.toISOString(),
    }));
  };
  const find = async (workspaceId: string, teamId: string): Promise<Team | undefined> =>
    (await select(one(workspaceId, teamId)))[0];

  return {
    list: (workspaceId) => select(eq(teams.workspaceId, workspaceId)),
    find,
    of: (workspaceId, userId) =>
      db
        .select({ teamId: teams.id, name: teams.name })
        .from(teamMembers)
        .innerJoin(teams, and(eq(teams.workspaceId, teamMembers.workspaceId), eq(teams.id, teamMembers.teamId)))
        .where(and(eq(teamMembers.workspaceId, workspaceId), eq(teamMembers.userId, userId)))
        .orderBy(asc(teams.id)),
    async create(workspaceId, { teamId, name, ...rest }) {
      const made = await db
        .insert(teams)
        .values({ ...columnsOf(rest), workspaceId, id: teamId, name })
        .onConflictDoNothing()
        .returning({ id: teams.id });
      return made.length > 0 ? find(workspaceId, teamId) : undefined;
    },
    async update(workspaceId, teamId, changes) {
      await db
        .update(teams)
        .set({ ...columnsOf(changes), updatedAt: new Date() })
        .where(one(workspaceId, teamId));
      return find(workspaceId, teamId);
    },
    remove: (workspaceId, teamId) =>
      db.transaction(async (tx) => {
        const gone = await tx.delete(teams).where(one(workspaceId, teamId)).returning({ id: teams.id });
        return gone.length > 0 ? removeUsers(tx, workspaceId, eq(users.ownerTeamId, teamId)) : undefined;
      }),
    async addMember(workspaceId, teamId, userId) {
      await db.insert(teamMembers).values({ workspaceId, teamId, userId }).onConflictDoNothing();
    },
    async removeMember(workspaceId, teamId, userId) {
      await db
        .delete(teamMembers)
        .where(
          and(eq(teamMembers.workspaceId, workspaceId), eq(teamMembers.teamId, teamId), eq(teamMembers.userId, userId)),
        );
    },
  };
};
