import type { Handlers, LaunchConfig, Server, ServerChanges, Switches } from '@peta/api';
import type { EnvironmentStore } from './environments.ts';
import { invalid, noServer, serverExists } from './errors.ts';
import { mergeSwitches } from './merge-switches.ts';
import type { Asker } from './run.ts';
import { callerOf, type Publish } from './users.ts';

/** A server as stored; what it is launched with stays sealed. */
export type StoredServer = Omit<Server, 'status' | 'statusReason'>;

type NewServer = ServerChanges & {
  serverId: string;
  category: number;
  authType: number;
  allowUserInput: boolean;
  toolTmplId: string | null;
  transport: Server['transport'];
  sealedLaunchConfig: string;
};

export type ServerStore = {
  list(workspaceId: string, enabled: boolean | undefined): Promise<StoredServer[]>;
  find(workspaceId: string, serverId: string): Promise<StoredServer | undefined>;
  /** Undefined when the id is taken. */
  create(workspaceId: string, server: NewServer): Promise<StoredServer | undefined>;
  update(
    workspaceId: string,
    serverId: string,
    changes: ServerChanges & {
      capabilities?: Switches | undefined;
      transport?: Server['transport'];
      sealedLaunchConfig?: string;
    },
  ): Promise<StoredServer | undefined>;
  remove(workspaceId: string, serverId: string): Promise<boolean>;
  removeAll(workspaceId: string): Promise<string[]>;
};

export type ServerKey = { workspaceId: string; serverId: string };

export type RuntimePort = {
  status(key: ServerKey): { status: 0 | 1 | 2 | 3 | 4; reason: string | null };
  logs(key: ServerKey, limit: number): { at: Date; source: 'stderr' | 'stdout' | 'peta'; text: string }[];
  /** Rejects with the reason when the server does not come up. */
  start(key: ServerKey): Promise<void>;
};

type Ports = {
  store: ServerStore;
  environments: Pick<EnvironmentStore, 'find'>;
  runtime: RuntimePort;
  seal(key: ServerKey, config: LaunchConfig): string;
  publish: Publish;
};

/** Of these the published interface lets the template be changed: custom remote, REST, custom stdio. */
const OWN_TEMPLATE = new Set([2, 3, 5]);
const TEMPLATE = 1;

const CATEGORY: Record<LaunchConfig['type'], number> = { stdio: 5, http: 2, sse: 2 };

export const createServers = ({ store, environments, runtime, seal, publish }: Ports): Handlers<Asker>['servers'] => {
  const present = (workspaceId: string, server: StoredServer): Server => {
    const { status, reason } = runtime.status({ workspaceId, serverId: server.serverId });
    return { ...server, status: server.enabled ? status : 1, statusReason: server.enabled ? reason : null };
  };

  const find = async (who: Asker, serverId: string): Promise<StoredServer> => {
    const server = await store.find(callerOf(who).workspaceId, serverId);
    if (!server) throw noServer(serverId);
    return server;
  };

  const change = async (who: Asker, serverId: string, changes: Parameters<ServerStore['update']>[2]) => {
    const { workspaceId } = callerOf(who);
    who.before(await find(who, serverId));
    const server = await store.update(workspaceId, serverId, changes);
    if (!server) throw noServer(serverId);
    await publish({ topic: 'server', workspaceId, id: serverId });
    return { server: present(workspaceId, server) };
  };

  const checkEnvironment = async (workspaceId: string, environment: string | null | undefined): Promise<void> => {
    if (typeof environment === 'string' && !(await environments.find(workspaceId, environment)))
      throw invalid(`environment: there is no environment with the id "${environment}".`);
  };

  const launch = (workspaceId: string, serverId: string, config: LaunchConfig) => ({
    transport: config.type,
    sealedLaunchConfig: seal({ workspaceId, serverId }, config),
  });

  return {
    async list({ enabled }, who) {
      const { workspaceId } = callerOf(who);
      const servers = await store.list(workspaceId, enabled);
      return { servers: servers.map((server) => present(workspaceId, server)) };
    },
    count: async (_input, who) => ({ count: (await store.list(callerOf(who).workspaceId, undefined)).length }),
    get: async ({ serverId }, who) => ({ server: present(callerOf(who).workspaceId, await find(who, serverId)) }),

    async create({ launchConfig, category, toolTmplId, ...input }, who) {
      const { workspaceId } = callerOf(who);
      await checkEnvironment(workspaceId, input.environment);
      const server = await store.create(workspaceId, {
        ...input,
        ...launch(workspaceId, input.serverId, launchConfig),
        category: category ?? CATEGORY[launchConfig.type],
        toolTmplId: toolTmplId ?? null,
      });
      if (!server) throw serverExists(input.serverId);
      await publish({ topic: 'server', workspaceId, id: server.serverId });
      return { server: present(workspaceId, server) };
    },

    async update({ serverId, launchConfig, capabilities, ...changes }, who) {
      const { workspaceId } = callerOf(who);
      const { allowUserInput, category, capabilities: before } = await find(who, serverId);
      if (launchConfig && allowUserInput && category === TEMPLATE)
        throw invalid('launchConfig: of a template that takes user input cannot be changed.');
      if (changes.configTemplate !== undefined && !OWN_TEMPLATE.has(category))
        throw invalid('configTemplate: can only be changed for servers of the categories 2, 3 and 5.');
      await checkEnvironment(workspaceId, changes.environment);
      return change(who, serverId, {
        ...changes,
        ...(capabilities && { capabilities: mergeSwitches(before, capabilities) }),
        ...(launchConfig && launch(workspaceId, serverId, launchConfig)),
      });
    },
    setCapabilities: ({ serverId, capabilities }, who) => change(who, serverId, { capabilities }),
    setLaunchConfig: ({ serverId, launchConfig }, who) =>
      change(who, serverId, launch(callerOf(who).workspaceId, serverId, launchConfig)),
    stop: ({ serverId }, who) => change(who, serverId, { enabled: false }),

    async start({ serverId }, who) {
      const { workspaceId } = callerOf(who);
      const { server } = await change(who, serverId, { enabled: true });
      await runtime.start({ workspaceId, serverId }).catch(() => {});
      return { server: present(workspaceId, server) };
    },

    async connectAll(_input, who) {
      const { workspaceId } = callerOf(who);
      const enabled = await store.list(workspaceId, true);
      const outcomes = await Promise.all(
        enabled.map(({ serverId }) =>
          runtime.start({ workspaceId, serverId }).then(
            () => ({ serverId, reason: null }),
            (error: unknown) => ({ serverId, reason: error instanceof Error ? error.message : String(error) }),
          ),
        ),
      );
      return {
        successServers: outcomes.flatMap(({ serverId, reason }) => (reason === null ? [serverId] : [])),
        failedServers: outcomes.flatMap(({ serverId, reason }) => (reason === null ? [] : [{ serverId, reason }])),
      };
    },

    async remove({ serverId }, who) {
      const { workspaceId } = callerOf(who);
      who.before(await find(who, serverId));
      if (!(await store.remove(workspaceId, serverId))) throw noServer(serverId);
      await publish({ topic: 'server', workspaceId, id: serverId });
      return { message: `${serverId} was removed.` };
    },

    async removeAll(_input, who) {
      const { workspaceId } = callerOf(who);
      const removed = await store.removeAll(workspaceId);
      who.before({ removed });
      for (const id of removed) await publish({ topic: 'server', workspaceId, id });
      return { deletedCount: removed.length };
    },

    async logs({ serverId, limit }, who) {
      await find(who, serverId);
      const lines = runtime.logs({ workspaceId: callerOf(who).workspaceId, serverId }, limit);
      return { lines: lines.map(({ at, ...line }) => ({ ...line, at: at.toISOString() })) };
    },
  };
};
