import type { Handlers, User } from '@peta/api';
import type { Caller } from '#call';
import { forbidden, invalid, noSignIn, noUser } from './errors.ts';
import type { Asker } from './run.ts';
import { callerOf, type UserStore } from './users.ts';

type Kept = {
  signInId: string;
  workspaceId: string;
  userId: string;
  methods: string[];
  address: string;
  userAgent: string;
  at: Date;
  lastSeenAt: Date;
  expiresAt: Date;
};

/** What is asked of signing in. */
export type SignInPorts = {
  list(workspaceId: string, userId?: string): Promise<Kept[]>;
  find(signInId: string): Promise<Kept | undefined>;
  /** Ends one, or all of a person; returns how many. */
  end(which: { signInId: string } | { workspaceId: string; userId: string }): Promise<number>;
  /** What follows the # of a one-time link for a person; undefined for an agent, or somebody who is disabled. */
  invite(workspaceId: string, userId: string): Promise<{ link: string; expiresAt: Date } | undefined>;
};

type Ports = { signIns: SignInPorts; users: UserStore; baseUrl(): string };

const OWNER = 1;
const USER = 3;
const PREFIX = 'signin_';

/** Where people are signed in, and what administrators do about it. */
export const createSignIns = ({ signIns, users, baseUrl }: Ports) => {
  const find = async (caller: Caller, userId: string): Promise<User> => {
    const user = await users.find(caller.workspaceId, userId);
    if (!user) throw noUser(userId);
    return user;
  };

  const mayLookAfter = (caller: Caller, user: User): boolean =>
    caller.role === OWNER || user.userId === caller.userId || (caller.role < USER && user.role > caller.role);

  const own = (who: Asker) => {
    const { workspaceId, userId } = callerOf(who);
    if (userId === null) throw forbidden("The machine's key is nobody's own: say whose sign-ins.");
    return { workspaceId, userId };
  };

  const resource: Handlers<Asker>['signIns'] = {
    async list({ userId }, who) {
      const caller = callerOf(who);
      const isAdministrator = caller.role < USER;
      if (!isAdministrator && userId !== undefined && userId !== caller.userId)
        throw forbidden('Only an administrator may see the sign-ins of others.');
      const found = await signIns.list(caller.workspaceId, isAdministrator ? userId : (caller.userId ?? ''));
      const owner = caller.role === OWNER ? undefined : await users.owner(caller.workspaceId);
      return {
        signIns: found
          .filter((one) => one.userId !== owner?.userId)
          .map(({ signInId, userId: of, methods, address, userAgent, at, lastSeenAt, expiresAt }) => ({
            signInId,
            userId: of,
            methods,
            address,
            userAgent,
            createdAt: at.toISOString(),
            lastSeenAt: lastSeenAt.toISOString(),
            expiresAt: expiresAt.toISOString(),
            isThis: caller.tokenId === PREFIX + signInId,
          })),
      };
    },

    async revoke({ signInId }, who) {
      const caller = callerOf(who);
      const found = await signIns.find(signInId);
      if (!found || found.workspaceId !== caller.workspaceId) throw noSignIn();
      if (!mayLookAfter(caller, await find(caller, found.userId))) throw noSignIn();
      who.before({ userId: found.userId });
      await signIns.end({ signInId });
      return { message: `A browser of ${found.userId} was signed out.` };
    },

    async revokeAll(_input, who) {
      const ended = await signIns.end(own(who));
      return { message: `Browsers signed out: ${ended}.` };
    },
  };

  const ofUsers: Pick<Handlers<Asker>['users'], 'invite' | 'signOut'> = {
    async invite({ userId }, who) {
      const caller = callerOf(who);
      if (userId === caller.userId) throw forbidden('Choose your own password or passkey at /account.');
      // Whoever holds the link acts as that person, everywhere.
      if (caller.scope.servers !== null || caller.scope.endpoints !== null)
        throw forbidden('This token is confined and cannot invite anybody: use one that is not.');
      const user = await find(caller, userId);
      if (!mayLookAfter(caller, user)) throw forbidden('Only the owner may invite administrators and the owner.');
      const made = await signIns.invite(caller.workspaceId, userId);
      if (!made) throw invalid(`userId: "${userId}" is an agent, or is not enabled, and cannot sign in.`);
      // The part after # never reaches a server or its logs by itself.
      return { link: `${baseUrl()}/sign-in/welcome#${made.link}`, expiresAt: made.expiresAt.toISOString() };
    },

    async signOut({ userId }, who) {
      const caller = callerOf(who);
      const user = await find(caller, userId);
      if (!mayLookAfter(caller, user)) throw forbidden('Only the owner may sign administrators and the owner out.');
      const ended = await signIns.end({ workspaceId: caller.workspaceId, userId });
      return { message: `${userId} was signed out of ${ended === 1 ? 'one browser' : `${ended} browsers`}.` };
    },
  };

  return { resource, ofUsers };
};
