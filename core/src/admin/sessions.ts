import type { Handlers, Session } from '@peta/api';
import type { Caller } from '#call';
import type { AgentStore } from './agents.ts';
import { forbidden, noSession } from './errors.ts';
import { mayForAll, OWNER, USER } from './may.ts';
import type { Asker } from './run.ts';
import { callerOf, type Publish, type UserStore } from './users.ts';

export type SessionStore = {
  /** The latest used first; only of these people, where they are given. */
  list(workspaceId: string, userIds: readonly string[] | undefined): Promise<Session[]>;
  find(workspaceId: string, sessionId: string): Promise<Session | undefined>;
  remove(workspaceId: string, sessionId: string): Promise<void>;
};

type Ports = { store: SessionStore; users: Pick<UserStore, 'find'>; agents: AgentStore; publish: Publish };

export const createSessions = ({ store, users, agents, publish }: Ports): Handlers<Asker>['sessions'] => {
  /** The caller and their agents. */
  const own = async ({ workspaceId, userId }: Caller): Promise<string[]> => {
    if (userId === null) return [];
    return [userId, ...(await agents.list(workspaceId, { ownerUserId: userId })).map((agent) => agent.userId)];
  };

  const checkMayEnd = async (caller: Caller, { userId, kind }: Session): Promise<void> => {
    if (caller.role === OWNER) return;
    if (kind === 'user' && userId !== null && (await own(caller)).includes(userId)) return;
    if (caller.role === USER) throw noSession();
    const user = userId === null ? undefined : await users.find(caller.workspaceId, userId);
    if (kind === 'machine' || (user && user.role <= caller.role))
      throw forbidden('Only the owner may end the sessions of administrators and of the owner.');
  };

  return {
    async list({ userId }, who) {
      const caller = callerOf(who);
      const visible = mayForAll(caller, 'sessions.list') ? undefined : await own(caller);
      if (userId === undefined) return { sessions: await store.list(caller.workspaceId, visible) };
      if (visible && !visible.includes(userId))
        throw forbidden('Only an administrator may see the sessions of others.');
      return { sessions: await store.list(caller.workspaceId, [userId]) };
    },

    async end({ sessionId }, who) {
      const caller = callerOf(who);
      const { workspaceId } = caller;
      const session = await store.find(workspaceId, sessionId);
      if (!session) throw noSession();
      await checkMayEnd(caller, session);
      who.before(session);
      await store.remove(workspaceId, sessionId);
      await publish({ topic: 'session', workspaceId: '', id: sessionId });
      return { message: 'The session was ended.' };
    },
  };
};
