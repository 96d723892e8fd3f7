import type { Handlers, User } from '@peta/api';
import type { Caller } from '#call';
import { forbidden, invalid, noTeam, noUser, userExists } from './errors.ts';
import { checkMayChange, isConfined, mayForAll, USER } from './may.ts';
import type { Asker } from './run.ts';
import type { TeamStore } from './teams.ts';
import { callerOf, type Publish, type UserStore } from './users.ts';

/** The agents of one person, or of one team; of everybody without either. */
type Of = { ownerUserId?: string | undefined; ownerTeamId?: string | undefined };

export type AgentStore = { list(workspaceId: string, of: Of): Promise<User[]> };

type Ports = { store: AgentStore; users: UserStore; teams: Pick<TeamStore, 'find'>; publish: Publish };

/** Enough for anybody's programs, and not for filling the database. */
const MAX_EACH = 100;
const SUSPENDED = 3;

export const createAgents = ({ store, users, teams, publish }: Ports): Handlers<Asker>['agents'] => {
  const isAdministrator = ({ role }: Caller): boolean => role < USER;

  /** A token that is confined would reach further through an agent. */
  const checkToken = (caller: Caller): void => {
    if (isConfined(caller) || caller.scope.endpoints !== null)
      throw forbidden('This token is confined and cannot manage agents: use one that is not.');
  };

  const find = async (caller: Caller, userId: string): Promise<User> => {
    const agent = await users.find(caller.workspaceId, userId);
    if (agent?.kind !== 'agent') throw noUser(userId);
    const isTheirs = agent.ownerUserId !== null && agent.ownerUserId === caller.userId;
    if (!isTheirs && !isAdministrator(caller)) throw noUser(userId);
    return agent;
  };

  /** The person or the team that the new agent is to belong to. */
  const ownerOf = async (caller: Caller, { ownerUserId, ownerTeamId }: Of) => {
    const { workspaceId } = caller;
    if (ownerUserId !== undefined && ownerTeamId !== undefined)
      throw invalid('An agent belongs to a person or to a team, not to both.');
    if (ownerTeamId !== undefined) {
      if (!isAdministrator(caller)) throw forbidden('Only an administrator makes agents of teams.');
      if (!(await teams.find(workspaceId, ownerTeamId))) throw noTeam(ownerTeamId);
      return { ownerUserId: null, ownerTeamId };
    }
    const personId = ownerUserId ?? caller.userId;
    if (personId === null) throw invalid("ownerUserId: say whose agent it is; the machine's key is nobody's.");
    if (personId !== caller.userId && !isAdministrator(caller))
      throw forbidden('Only an administrator makes agents of others.');
    const person = await users.find(workspaceId, personId);
    if (!person) throw noUser(personId);
    if (personId !== caller.userId) checkMayChange(caller, person);
    if (person.kind === 'agent') throw forbidden('An agent has no agents: ask as the person, or as an administrator.');
    return { ownerUserId: personId, ownerTeamId: null };
  };

  return {
    async list({ ownerUserId, ownerTeamId }, who) {
      const caller = callerOf(who);
      if (mayForAll(caller, 'agents.list')) {
        const agents = await store.list(caller.workspaceId, { ownerUserId, ownerTeamId });
        return { agents };
      }
      if (ownerTeamId !== undefined || (ownerUserId !== undefined && ownerUserId !== caller.userId))
        throw forbidden('Only an administrator may see the agents of others.');
      return { agents: await store.list(caller.workspaceId, { ownerUserId: caller.userId ?? '' }) };
    },

    async create({ userId, name = userId, ownerUserId, ownerTeamId, ...rest }, who) {
      const caller = callerOf(who);
      const { workspaceId } = caller;
      checkToken(caller);
      const owner = await ownerOf(caller, { ownerUserId, ownerTeamId });
      const others = await store.list(workspaceId, {
        ownerUserId: owner.ownerUserId ?? undefined,
        ownerTeamId: owner.ownerTeamId ?? undefined,
      });
      if (others.length >= MAX_EACH)
        throw invalid(`There are ${MAX_EACH} agents of the same owner already: remove one.`);
      const agent = await users.create(workspaceId, { ...rest, ...owner, userId, name, role: USER, kind: 'agent' });
      if (!agent) throw userExists(userId);
      return { agent };
    },

    async update({ userId, ...changes }, who) {
      const caller = callerOf(who);
      checkToken(caller);
      const before = await find(caller, userId);
      const { status } = changes;
      if (!isAdministrator(caller) && status !== undefined && (status === SUSPENDED || before.status === SUSPENDED))
        throw forbidden('Only an administrator suspends agents, and enables those that were suspended.');
      who.before(before);
      const agent = await users.update(caller.workspaceId, userId, changes);
      if (!agent) throw noUser(userId);
      await publish({ topic: 'user', workspaceId: caller.workspaceId, id: userId });
      return { agent };
    },

    async remove({ userId }, who) {
      const caller = callerOf(who);
      checkToken(caller);
      who.before(await find(caller, userId));
      await users.remove(caller.workspaceId, userId);
      await publish({ topic: 'user', workspaceId: caller.workspaceId, id: userId });
      return { message: `${userId} was removed.` };
    },
  };
};
