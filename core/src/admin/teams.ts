import type { Handlers, Team, TeamChanges } from '@peta/api';
import { invalid, noTeam, noUser, teamExists } from './errors.ts';
import type { Asker } from './run.ts';
import { callerOf, type Publish, type UserStore } from './users.ts';

export type TeamStore = {
  list(workspaceId: string): Promise<Team[]>;
  find(workspaceId: string, teamId: string): Promise<Team | undefined>;
  /** Those that somebody is a member of. */
  of(workspaceId: string, userId: string): Promise<{ teamId: string; name: string }[]>;
  /** Undefined when the id is taken. */
  create(workspaceId: string, team: TeamChanges & { teamId: string; name: string }): Promise<Team | undefined>;
  update(workspaceId: string, teamId: string, changes: TeamChanges): Promise<Team | undefined>;
  /** With its agents and their tokens; returns the ids of the agents, or undefined when there is no such team. */
  remove(workspaceId: string, teamId: string): Promise<string[] | undefined>;
  addMember(workspaceId: string, teamId: string, userId: string): Promise<void>;
  removeMember(workspaceId: string, teamId: string, userId: string): Promise<void>;
};

type Ports = { store: TeamStore; users: Pick<UserStore, 'find'>; publish: Publish };

export const createTeams = ({ store, users, publish }: Ports): Handlers<Asker>['teams'] => {
  const find = async (workspaceId: string, teamId: string): Promise<Team> => {
    const team = await store.find(workspaceId, teamId);
    if (!team) throw noTeam(teamId);
    return team;
  };

  return {
    list: async (_input, who) => ({ teams: await store.list(callerOf(who).workspaceId) }),
    get: async ({ teamId }, who) => ({ team: await find(callerOf(who).workspaceId, teamId) }),

    async create({ teamId, name = teamId, ...rest }, who) {
      const team = await store.create(callerOf(who).workspaceId, { teamId, name, ...rest });
      if (!team) throw teamExists(teamId);
      return { team };
    },

    async update({ teamId, ...changes }, who) {
      const { workspaceId } = callerOf(who);
      who.before(await find(workspaceId, teamId));
      const team = await store.update(workspaceId, teamId, changes);
      if (!team) throw noTeam(teamId);
      return { team };
    },

    async remove({ teamId }, who) {
      const { workspaceId } = callerOf(who);
      const team = await find(workspaceId, teamId);
      const agents = await store.remove(workspaceId, teamId);
      if (!agents) throw noTeam(teamId);
      who.before({ ...team, agents });
      for (const id of agents) await publish({ topic: 'user', workspaceId, id });
      return { message: `The team ${teamId} was removed${agents.length > 0 ? ` with ${agents.join(', ')}` : ''}.` };
    },

    async addMember({ teamId, userId }, who) {
      const { workspaceId } = callerOf(who);
      await find(workspaceId, teamId);
      const user = await users.find(workspaceId, userId);
      if (!user) throw noUser(userId);
      if (user.kind === 'agent')
        throw invalid('userId: people are members of teams; an agent belongs to a team or a person.');
      await store.addMember(workspaceId, teamId, userId);
      return { team: await find(workspaceId, teamId) };
    },

    async removeMember({ teamId, userId }, who) {
      const { workspaceId } = callerOf(who);
      const { members } = await find(workspaceId, teamId);
      if (!members.includes(userId)) throw noUser(userId);
      await store.removeMember(workspaceId, teamId, userId);
      return { team: await find(workspaceId, teamId) };
    },
  };
};
