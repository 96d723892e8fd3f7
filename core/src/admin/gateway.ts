import type { Handlers, User } from '@peta/api';
import { hashToken, newSecret, newToken } from '#lib/token';
import { AdminError, noProxy, proxyExists } from './errors.ts';
import type { Asker } from './run.ts';
import type { TokenStore } from './tokens.ts';
import { callerOf, type Publish, type UserStore } from './users.ts';

export type ProxyRow = { id: number; name: string; proxyKey: string; createdAt: Date };

export type GatewayStore = {
  proxy(workspaceId: string): Promise<ProxyRow | undefined>;
  /** Undefined when it has a name already. */
  nameProxy(workspaceId: string, name: string, proxyKey: string): Promise<ProxyRow | undefined>;
  renameProxy(workspaceId: string, id: number, name: string): Promise<ProxyRow | undefined>;
  forgetProxy(workspaceId: string, id: number): Promise<boolean>;
  /** Makes this the only set-up link. */
  saveSetupLink(workspaceId: string, hash: string, expiresAt: Date): Promise<void>;
  /** Uses a link up, whichever of several tries comes first; the workspace it was for, or undefined. */
  takeSetupLink(hash: string, now: Date): Promise<string | undefined>;
};

type ProxyPorts = {
  store: GatewayStore;
  port(): number;
  clear(who: Asker): Promise<void>;
  /** Shuts Peta down once the answer is out. */
  shutdown(): void;
};

export const createProxy = ({ store, port, clear, shutdown }: ProxyPorts): Handlers<Asker>['proxy'] => {
  const present = ({ id, name, proxyKey, createdAt }: ProxyRow, isAdministrator: boolean) => ({
    id,
    name,
    proxyKey: isAdministrator ? proxyKey : null,
    addtime: Math.floor(createdAt.getTime() / 1000),
    startPort: port(),
  });
  return {
    async get(_input, { caller }) {
      const proxy = await store.proxy(caller?.workspaceId ?? 'default');
      return { proxy: proxy ? present(proxy, caller !== null && caller.role < 3) : null };
    },
    async create({ name, proxyKey }, who) {
      const proxy = await store.nameProxy(callerOf(who).workspaceId, name, proxyKey);
      if (!proxy) throw proxyExists();
      return { proxy: present(proxy, true) };
    },
    async update({ proxyId, name }, who) {
      const proxy = await store.renameProxy(callerOf(who).workspaceId, proxyId, name);
      if (!proxy) throw noProxy();
      return { proxy: present(proxy, true) };
    },
    async remove({ proxyId }, who) {
      if (!(await store.forgetProxy(callerOf(who).workspaceId, proxyId))) throw noProxy();
      await clear(who);
      return { message: 'The proxy was removed, and with it every server and everyone but the owner.' };
    },
    async stop() {
      shutdown();
      return { message: 'Peta is shutting down.' };
    },
  };
};

type SetupPorts = {
  store: GatewayStore;
  users: UserStore;
  tokens: TokenStore;
  publish: Publish;
  baseUrl(): string;
};

const LINK_HOURS = 24;
const OWNER = 1;

/** Makes a new one-time set-up link for a workspace; earlier ones end. */
export const createSetupLink = async (
  { store, baseUrl }: Pick<SetupPorts, 'store' | 'baseUrl'>,
  workspaceId: string,
) => {
  const { secret, hash } = newSecret('petasetup_');
  const expiresAt = new Date(Date.now() + LINK_HOURS * 3_600_000);
  await store.saveSetupLink(workspaceId, hash, expiresAt);
  // The part after # never reaches a server or its logs by itself.
  return { setupLink: `${baseUrl()}/setup#${secret}`, expiresAt: expiresAt.toISOString() };
};

export const createSetup = (ports: SetupPorts): Handlers<Asker>['setup'] => {
  const { store, users, tokens, publish } = ports;

  const ownerOf = async (workspaceId: string, userId: string, name: string): Promise<User> => {
    const owner = await users.owner(workspaceId);
    if (owner) return owner;
    const created = await users.create(workspaceId, { userId, name, role: OWNER });
    if (!created) throw new AdminError(409, 'USER_EXISTS', 2003, `The id "${userId}" is taken; choose another.`);
    return created;
  };

  return {
    async complete({ secret, userId, name }) {
      const workspaceId = await store.takeSetupLink(hashToken(secret), new Date());
      if (workspaceId === undefined) {
        const message =
          'This set-up link has been used, has expired or never was. Run "npm run peta -- setup-link" on the machine for a new one.';
        throw new AdminError(403, 'SETUP_LINK_INVALID', 1003, message);
      }
      const user = await ownerOf(workspaceId, userId, name);
      const token = newToken();
      await tokens.create(workspaceId, {
        userId: user.userId,
        name: 'set-up',
        hash: token.hash,
        mask: token.mask,
        scope: {},
        expiresAt: null,
      });
      await publish({ topic: 'user', workspaceId, id: user.userId });
      return { user, secret: token.secret };
    },

    link: (_input, who) => createSetupLink(ports, callerOf(who).workspaceId),
  };
};
