import type { Handlers } from '@peta/api';
import { FIRST_WORKSPACE } from '#call';
import { noProxy, proxyExists } from './errors.ts';
import type { Asker } from './run.ts';
import { callerOf } from './users.ts';
import { checkRunsInstallation } from './workspaces.ts';

export type ProxyRow = { id: number; name: string; proxyKey: string; createdAt: Date };

export type ProxyStore = {
  proxy(workspaceId: string): Promise<ProxyRow | undefined>;
  /** Undefined when it has a name already. */
  nameProxy(workspaceId: string, name: string, proxyKey: string): Promise<ProxyRow | undefined>;
  renameProxy(workspaceId: string, id: number, name: string): Promise<ProxyRow | undefined>;
  forgetProxy(workspaceId: string, id: number): Promise<boolean>;
};

type Ports = {
  store: ProxyStore;
  port(): number;
  /** Removes every server and everyone but the owner. */
  clear(who: Asker): Promise<void>;
  /** Shuts Peta down once the answer is out. */
  shutdown(): void;
};

export const createProxy = ({ store, port, clear, shutdown }: Ports): Handlers<Asker>['proxy'] => {
  const present = ({ id, name, proxyKey, createdAt }: ProxyRow, isAdministrator: boolean) => ({
    id,
    name,
    proxyKey: isAdministrator ? proxyKey : null,
    addtime: Math.floor(createdAt.getTime() / 1000),
    startPort: port(),
  });
  return {
    async get(_input, { caller }) {
      const proxy = await store.proxy(caller?.workspaceId ?? FIRST_WORKSPACE);
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
      const { workspaceId } = callerOf(who);
      if ((await store.proxy(workspaceId))?.id !== proxyId) throw noProxy();
      // The name goes last, so that a removal that failed half way can be asked for again.
      await clear(who);
      if (!(await store.forgetProxy(workspaceId, proxyId))) throw noProxy();
      return { message: 'The proxy was removed, and with it every server and everyone but the owner.' };
    },
    async stop(_input, who) {
      checkRunsInstallation(callerOf(who));
      shutdown();
      return { message: 'Peta is shutting down.' };
    },
  };
};
