import type { Handlers, LaunchConfig, Offer, Server, ServerChanges, Switches } from '@peta/api';
import type { Caller, CapabilityKind, Listing } from '#call';
import { invalid, noServer, noUser, serverExists } from './errors.ts';
import type { Asker } from './run.ts';
import { callerOf, type Publish, type UserStore } from './users.ts';

/** A server as stored; what it is launched with stays sealed. */
export type StoredServer = Omit<Server, 'status' | 'statusReason'>;

export type NewServer = ServerChanges & {
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

type Key = { workspaceId: string; serverId: string };

export type RuntimePort = {
  status(key: Key): { status: 0 | 1 | 2 | 3 | 4; reason: string | null };
  logs(key: Key, limit: number): { at: Date; source: 'stderr' | 'stdout' | 'peta'; text: string }[];
  /** Rejects with the reason when the server does not come up. */
  start(key: Key): Promise<void>;
};

export type OfferPort = {
  listing(key: Key): Listing | undefined;
  /** May this person (whatever client) use it, by the first two layers? */
  allows(key: Key, caller: Caller | null, kind: CapabilityKind, name: string): boolean;
  allowsServer(key: Key, caller: Caller): boolean;
};

type Ports = {
  store: ServerStore;
  users: UserStore;
  runtime: RuntimePort;
  offers: OfferPort;
  seal(key: Key, config: LaunchConfig): string;
  publish: Publish;
};

/** What `more` mentions replaces what stood there; the rest stays. */
const mergeSwitches = (before: Switches, more: Switches): Switches => ({
  enabled: more.enabled,
  tools: { ...before.tools, ...more.tools },
  resources: { ...before.resources, ...more.resources },
  prompts: { ...before.prompts, ...more.prompts },
});

const CATEGORY: Record<LaunchConfig['type'], number> = { stdio: 5, http: 2, sse: 2 };

export const createServers = ({ store, runtime, seal, publish }: Ports): Handlers<Asker>['servers'] => {
  const present = (workspaceId: string, server: StoredServer): Server => {
    const { status, reason } = runtime.status({ workspaceId, serverId: server.serverId });
    return { ...server, status: server.enabled ? status : 1, statusReason: server.enabled ? reason : null };
  };

  const change = async (who: Asker, serverId: string, changes: Parameters<ServerStore['update']>[2]) => {
    const { workspaceId } = callerOf(who);
    const server = await store.update(workspaceId, serverId, changes);
    if (!server) throw noServer(serverId);
    await publish({ topic: 'server', workspaceId, id: serverId });
    return { server: present(workspaceId, server) };
  };

  const launch = (workspaceId: string, serverId: string, config: LaunchConfig) => ({
    transport: config.type,
    sealedLaunchConfig: seal({ workspaceId, serverId }, config),
  });

  const find = async (who: Asker, serverId: string): Promise<StoredServer> => {
    const server = await store.find(callerOf(who).workspaceId, serverId);
    if (!server) throw noServer(serverId);
    return server;
  };

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
      if (launchConfig && allowUserInput && category === 1)
        throw invalid('launchConfig: of a template that takes user input cannot be changed.');
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
      if (!(await store.remove(workspaceId, serverId))) throw noServer(serverId);
      await publish({ topic: 'server', workspaceId, id: serverId });
      return { message: `${serverId} was removed.` };
    },

    async removeAll(_input, who) {
      const { workspaceId } = callerOf(who);
      const removed = await store.removeAll(workspaceId);
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

const EMPTY: Listing = { tools: [], resources: [], templates: [], prompts: [] };

/** What there is to be called: the published queries. */
export const createCapabilities = ({ store, users, runtime, offers }: Ports): Handlers<Asker>['capabilities'] => {
  const offerOf = (key: Key, caller: Caller | null, enabled: boolean): Offer => {
    const { tools, resources, templates, prompts } = offers.listing(key) ?? EMPTY;
    const list = (kind: CapabilityKind, definitions: Listing['tools'], nameKey: 'name' | 'uri' | 'uriTemplate') =>
      Object.fromEntries(
        definitions.flatMap((definition) => {
          const name = definition[nameKey];
          if (typeof name !== 'string') return [];
          const description = typeof definition.description === 'string' ? { description: definition.description } : {};
          return [[name, { enabled: offers.allows(key, caller, kind, name), ...description }]];
        }),
      );
    return {
      enabled,
      tools: list('tool', tools, 'name'),
      resources: { ...list('resource', resources, 'uri'), ...list('resource', templates, 'uriTemplate') },
      prompts: list('prompt', prompts, 'name'),
    };
  };

  const byServer = async (workspaceId: string, make: (server: StoredServer) => Offer | undefined) => {
    const servers = await store.list(workspaceId, undefined);
    return Object.fromEntries(
      servers.flatMap((server) => {
        const offer = make(server);
        return offer ? [[server.serverId, offer]] : [];
      }),
    );
  };

  return {
    async available(_input, who) {
      const { workspaceId } = callerOf(who);
      const capabilities = await byServer(workspaceId, ({ serverId, enabled }) => {
        const key = { workspaceId, serverId };
        return enabled && offers.listing(key) ? offerOf(key, null, enabled) : undefined;
      });
      return { capabilities };
    },

    async ofUser({ userId }, who) {
      const { workspaceId } = callerOf(who);
      const user = await users.find(workspaceId, userId);
      if (!user) throw noUser(userId);
      const person: Caller = {
        workspaceId,
        kind: 'user',
        userId,
        role: user.role,
        tokenId: null,
        scope: { servers: null, endpoints: null },
        permissions: user.permissions,
        preferences: {},
      };
      const capabilities = await byServer(workspaceId, ({ serverId }) => {
        const key = { workspaceId, serverId };
        return offerOf(key, person, offers.allowsServer(key, person));
      });
      return { capabilities };
    },

    async statuses(_input, who) {
      const { workspaceId } = callerOf(who);
      const servers = await store.list(workspaceId, undefined);
      const statusOf = ({ serverId, enabled }: StoredServer) =>
        enabled ? runtime.status({ workspaceId, serverId }).status : 1;
      return { serversStatus: Object.fromEntries(servers.map((server) => [server.serverId, statusOf(server)])) };
    },

    async ofServer({ serverId }, who) {
      const { workspaceId } = callerOf(who);
      const server = await store.find(workspaceId, serverId);
      if (!server) throw noServer(serverId);
      return { capabilities: offerOf({ workspaceId, serverId }, null, server.enabled) };
    },
  };
};
