import type { Handlers, User } from '@peta/api';
import { hashToken, newSecret, newToken } from '#lib/token';
import { badSetupLink, invalid, userExists } from './errors.ts';
import type { Asker } from './run.ts';
import type { TokenStore } from './tokens.ts';
import { callerOf, type Publish, type UserStore } from './users.ts';

/** What a set-up link gives access to while it is used up. */
export type SetupStores = {
  users: Pick<UserStore, 'owner' | 'create'>;
  tokens: Pick<TokenStore, 'create'>;
  /** Makes a token work, by its hash or by the first half of it, and keeps its envelope. */
  adoptToken(workspaceId: string, userId: string, hash: string, envelope: string): Promise<void>;
  /** Sets the password that somebody signs in with. */
  setPassword(workspaceId: string, userId: string, hash: string): Promise<void>;
};

/** What setting up needs of signing in. */
type PasswordPorts = {
  /** Why a password is not taken. */
  faultOf(user: { userId: string; name: string; email: string | null }, password: string): string | undefined;
  hash(password: string): Promise<string>;
  /** Signs a person out of every browser. */
  signOut(workspaceId: string, userId: string): Promise<unknown>;
};

export type SetupStore = {
  /** Makes this the only set-up link of its workspace. */
  saveSetupLink(workspaceId: string, hash: string, expiresAt: Date): Promise<void>;
  /**
   * Uses a link up together with what it is used for: both happen or neither, and whichever of several tries comes
   * first. Undefined when there is no such link or it has expired.
   */
  useSetupLink<T>(
    hash: string,
    now: Date,
    use: (workspaceId: string, stores: SetupStores) => Promise<T>,
  ): Promise<T | undefined>;
};

type Ports = { store: SetupStore; publish: Publish; passwords: PasswordPorts; baseUrl(): string };

const LINK_HOURS = 24;
const OWNER = 1;

/** Makes a new one-time set-up link for a workspace; earlier ones end. */
export const createSetupLink = async ({ store, baseUrl }: Pick<Ports, 'store' | 'baseUrl'>, workspaceId: string) => {
  const { secret, hash } = newSecret('petasetup_');
  const expiresAt = new Date(Date.now() + LINK_HOURS * 3_600_000);
  await store.saveSetupLink(workspaceId, hash, expiresAt);
  // The part after # never reaches a server or its logs by itself.
  return { setupLink: `${baseUrl()}/setup#${secret}`, expiresAt: expiresAt.toISOString() };
};

export const createSetup = (ports: Ports): Handlers<Asker>['setup'] => {
  const { store, publish, passwords } = ports;
  return {
    async complete({ secret, userId, name, password }, who) {
      const done = await store.useSetupLink(hashToken(secret), new Date(), async (workspaceId, stores) => {
        who.concerns(workspaceId);
        const { users, tokens } = stores;
        const owner = await users.owner(workspaceId);
        const user: User | undefined = owner ?? (await users.create(workspaceId, { userId, name, role: OWNER }));
        if (!user) throw userExists(userId);
        if (password !== undefined) {
          const fault = passwords.faultOf({ userId: user.userId, name: user.name, email: null }, password);
          if (fault !== undefined) throw invalid(`password: ${fault}`);
          await stores.setPassword(workspaceId, user.userId, await passwords.hash(password));
        }
        const token = newToken();
        await tokens.create(workspaceId, {
          userId: user.userId,
          name: 'set-up',
          hash: token.hash,
          mask: token.mask,
          scope: {},
          expiresAt: null,
        });
        return { workspaceId, user, secret: token.secret };
      });
      if (!done) throw badSetupLink();
      const { workspaceId, user, secret: token } = done;
      if (password !== undefined) await passwords.signOut(workspaceId, user.userId);
      await publish({ topic: 'user', workspaceId, id: user.userId });
      return { user, secret: token };
    },

    link: (_input, who) => createSetupLink(ports, callerOf(who).workspaceId),
  };
};
