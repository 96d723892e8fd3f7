import type { Handlers, Permissions, User, UserChanges } from '@peta/api';
import type { Caller } from '#call';
import { forbidden, noUser, userDisabled, userExists } from './errors.ts';
import type { Asker } from './run.ts';

type NewUser = UserChanges & {
  userId: string;
  name: string;
  role: 1 | 2 | 3;
  encryptedToken?: string | undefined;
};

export type UserStore = {
  list(workspaceId: string, filter: { role?: number | undefined; excludeRole?: number | undefined }): Promise<User[]>;
  find(workspaceId: string, userId: string): Promise<User | undefined>;
  owner(workspaceId: string): Promise<User | undefined>;
  /** Undefined when the id is taken. */
  create(workspaceId: string, user: NewUser): Promise<User | undefined>;
  update(workspaceId: string, userId: string, changes: UserChanges): Promise<User | undefined>;
  remove(workspaceId: string, userId: string): Promise<boolean>;
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
  topic: 'user' | 'token' | 'server' | 'endpoint' | 'gateway';
  workspaceId: string;
  id: string;
}) => Promise<void>;

/** The asker of an operation that is not open. */
export const callerOf = ({ caller }: Asker): Caller => {
  if (!caller) throw forbidden('A token is needed.');
  return caller;
};

const OWNER = 1;

/** Administrators look after users; the owner looks after everyone. */
const checkMayChange = (caller: Caller, user: User): void => {
  if (caller.role === OWNER || user.role > caller.role || user.userId === caller.userId) return;
  throw forbidden('Only the owner may change administrators and the owner.');
};

/** Nobody but the owner reaches further by changing themselves. */
const checkMayChangeSelf = (caller: Caller, user: User, { permissions, ratelimit, expiresAt }: UserChanges): void => {
  if (caller.role === OWNER || user.userId !== caller.userId) return;
  if (permissions !== undefined || ratelimit !== undefined || expiresAt !== undefined)
    throw forbidden('Nobody but the owner changes their own permissions, limit or end.');
};

const checkKeepsOwner = (user: User, changes: UserChanges): void => {
  if (user.role !== OWNER) return;
  if ((changes.status !== undefined && changes.status !== 1) || changes.expiresAt)
    throw forbidden('The owner cannot be disabled or given an end: nobody could undo it.');
};

/** Without what concerns signing in, which is `createSignIns`'s. */
export const createUsers = (
  store: UserStore,
  publish: Publish,
): Omit<Handlers<Asker>['users'], 'invite' | 'signOut'> => {
  const find = async (caller: Caller, userId: string): Promise<User> => {
    const user = await store.find(caller.workspaceId, userId);
    if (!user) throw noUser(userId);
    return user;
  };

  const change = async (who: Asker, userId: string, changes: UserChanges): Promise<{ user: User }> => {
    const caller = callerOf(who);
    const before = await find(caller, userId);
    checkMayChange(caller, before);
    checkMayChangeSelf(caller, before, changes);
    checkKeepsOwner(before, changes);
    who.before(before);
    const user = await store.update(caller.workspaceId, userId, changes);
    if (!user) throw noUser(userId);
    await publish({ topic: 'user', workspaceId: caller.workspaceId, id: userId });
    return { user };
  };

  return {
    list: async (filter, who) => ({ users: await store.list(callerOf(who).workspaceId, filter) }),
    count: async (filter, who) => ({ count: (await store.list(callerOf(who).workspaceId, filter)).length }),
    get: async ({ userId }, who) => ({ user: await find(callerOf(who), userId) }),
    owner: async (_input, who) => ({ owner: (await store.owner(callerOf(who).workspaceId)) ?? null }),

    async create(input, who) {
      const user = await store.create(callerOf(who).workspaceId, input);
      if (!user) throw userExists(input.userId);
      return { user };
    },

    update: ({ userId, ...changes }, who) => change(who, userId, changes),
    async disable({ userId }, who) {
      const user = await find(callerOf(who), userId);
      if (user.status === 0) throw userDisabled(userId);
      return change(who, userId, { status: 0 });
    },
    setPermissions: ({ userId, permissions }, who) => change(who, userId, { permissions }),

    async remove({ userId }, who) {
      const caller = callerOf(who);
      const user = await find(caller, userId);
      checkMayChange(caller, user);
      if (user.role === OWNER) throw forbidden('The owner cannot be removed.');
      who.before(user);
      await store.remove(caller.workspaceId, userId);
      await publish({ topic: 'user', workspaceId: caller.workspaceId, id: userId });
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
