import type { Handlers, Permissions, User, UserChanges } from '@peta/api';
import type { Caller } from '#call';
import { emailTaken, forbidden, invalid, noUser, userDisabled, userExists } from './errors.ts';
import { AUDITOR, checkKeepsOwner, checkMayChange, checkMayChangeSelf, checkMayGive, OWNER, USER } from './may.ts';
import type { RoleStore } from './roles.ts';
import type { Asker } from './run.ts';

type NewUser = UserChanges & {
  userId: string;
  name: string;
  role: 1 | 2 | 3;
  kind?: 'person' | 'agent';
  ownerUserId?: string | null;
  ownerTeamId?: string | null;
  encryptedToken?: string | undefined;
};

export type UserStore = {
  list(workspaceId: string, filter: { role?: number | undefined; excludeRole?: number | undefined }): Promise<User[]>;
  find(workspaceId: string, userId: string): Promise<User | undefined>;
  byEmail(workspaceId: string, email: string): Promise<User | undefined>;
  owner(workspaceId: string): Promise<User | undefined>;
  /** Undefined when the id or the e-mail address is taken. */
  create(workspaceId: string, user: NewUser): Promise<User | undefined>;
  update(workspaceId: string, userId: string, changes: UserChanges): Promise<User | undefined>;
  /** With all tokens and agents; returns the ids of who is gone, or undefined when there was nobody. */
  remove(workspaceId: string, userId: string): Promise<string[] | undefined>;
  /** Everyone of a higher number of role than this; returns their ids. */
  removeBelow(workspaceId: string, role: number): Promise<string[]>;
  preferences(workspaceId: string, userId: string): Promise<Record<string, Permissions>>;
  /** Empty permissions forget the client. */
  setPreferences(
    workspaceId: string,
    userId: string,
    client: string,
    permissions: Permissions,
  ): Promise<Record<string, Permissions>>;
};

export type Publish = (change: {
  topic: 'user' | 'token' | 'server' | 'endpoint' | 'workspace' | 'session' | 'gateway';
  workspaceId: string;
  id: string;
}) => Promise<void>;

/** The asker of an operation that is not open. */
export const callerOf = ({ caller }: Asker): Caller => {
  if (!caller) throw forbidden('A token is needed.');
  return caller;
};

const DISABLED = 0;
const SUSPENDED = 3;

type Ports = { store: UserStore; roles: Pick<RoleStore, 'find'>; publish: Publish };

/** Without what concerns signing in, which is `createSignIns`'s. */
export const createUsers = ({ store, roles, publish }: Ports): Omit<Handlers<Asker>['users'], 'invite' | 'signOut'> => {
  const find = async (caller: Caller, userId: string): Promise<User> => {
    const user = await store.find(caller.workspaceId, userId);
    if (!user) throw noUser(userId);
    return user;
  };

  /** Roles by name, and what one signs in with, are for whom they can be. */
  const checkFits = async (workspaceId: string, user: Pick<User, 'role' | 'kind'>, changes: UserChanges) => {
    const { roleId, email } = changes;
    if (user.kind === 'agent' && (roleId || email))
      throw invalid('An agent has no role and no e-mail address: it acts for whose it is, and has no sign-in.');
    if (roleId && user.role !== USER) throw invalid('roleId: only a user (role 3) can have a role by name.');
    if (roleId && roleId !== AUDITOR && !(await roles.find(workspaceId, roleId)))
      throw invalid(`roleId: there is no role "${roleId}".`);
  };

  const checkEmailIsFree = async (workspaceId: string, userId: string, email: string | null | undefined) => {
    const other = email ? await store.byEmail(workspaceId, email) : undefined;
    if (email && other && other.userId !== userId) throw emailTaken(email);
  };

  const change = async (who: Asker, userId: string, changes: UserChanges): Promise<{ user: User }> => {
    const caller = callerOf(who);
    const { workspaceId } = caller;
    const before = await find(caller, userId);
    checkMayChange(caller, before);
    checkMayChangeSelf(caller, before, changes);
    checkMayGive(caller, changes);
    checkKeepsOwner(before, changes);
    await checkFits(workspaceId, before, changes);
    await checkEmailIsFree(workspaceId, userId, changes.email);
    who.before(before);
    // An agent that was switched off here is not to be switched on again by whose it is.
    const isAgentOff = before.kind === 'agent' && changes.status === DISABLED;
    const user = await store.update(workspaceId, userId, isAgentOff ? { ...changes, status: SUSPENDED } : changes);
    if (!user) throw noUser(userId);
    await publish({ topic: 'user', workspaceId, id: userId });
    return { user };
  };

  return {
    list: async (filter, who) => ({ users: await store.list(callerOf(who).workspaceId, filter) }),
    count: async (filter, who) => ({ count: (await store.list(callerOf(who).workspaceId, filter)).length }),
    get: async ({ userId }, who) => ({ user: await find(callerOf(who), userId) }),
    owner: async (_input, who) => ({ owner: (await store.owner(callerOf(who).workspaceId)) ?? null }),

    async create(input, who) {
      const { workspaceId } = callerOf(who);
      await checkFits(workspaceId, { role: input.role, kind: 'person' }, input);
      await checkEmailIsFree(workspaceId, input.userId, input.email);
      const user = await store.create(workspaceId, input);
      if (!user) throw userExists(input.userId);
      return { user };
    },

    update: ({ userId, ...changes }, who) => change(who, userId, changes),
    async disable({ userId }, who) {
      const user = await find(callerOf(who), userId);
      if (user.status === DISABLED) throw userDisabled(userId);
      return change(who, userId, { status: DISABLED });
    },
    setPermissions: ({ userId, permissions }, who) => change(who, userId, { permissions }),

    async remove({ userId }, who) {
      const caller = callerOf(who);
      const user = await find(caller, userId);
      checkMayChange(caller, user);
      if (user.role === OWNER) throw forbidden('The owner cannot be removed.');
      who.before(user);
      const removed = (await store.remove(caller.workspaceId, userId)) ?? [];
      for (const id of removed) await publish({ topic: 'user', workspaceId: caller.workspaceId, id });
      return { message: `${userId} was removed.` };
    },

    async removeAll(_input, who) {
      const { workspaceId, role } = callerOf(who);
      const removed = await store.removeBelow(workspaceId, role);
      who.before({ removed });
      for (const id of removed) await publish({ topic: 'user', workspaceId, id });
      return { deletedCount: removed.length };
    },
  };
};
