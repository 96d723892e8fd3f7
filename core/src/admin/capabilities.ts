import type { Handlers, Offer, Switches, User } from '@peta/api';
import { type AgentOwner, type Caller, type CapabilityKind, EVERYWHERE, type Lists } from '#call';
import { noServer, noUser } from './errors.ts';
import type { Asker } from './run.ts';
import type { RuntimePort, ServerKey, ServerStore, StoredServer } from './servers.ts';
import { callerOf, type UserStore } from './users.ts';

type OfferPort = {
  /** What the server lists, to whatever clients. */
  listing(key: ServerKey): Lists | undefined;
  /** May this person (whatever client) use it, by the first two layers? */
  allows(key: ServerKey, caller: Caller | null, kind: CapabilityKind, name: string): boolean;
  allowsServer(key: ServerKey, caller: Caller): boolean;
};

type Ports = {
  store: Pick<ServerStore, 'list' | 'find'>;
  users: Pick<UserStore, 'find'>;
  runtime: Pick<RuntimePort, 'status'>;
  offers: OfferPort;
};

/** The highest that any layer says of a tool. */
const dangerOf = (layers: readonly Switches[], tool: string): number =>
  Math.max(0, ...layers.map(({ tools = {} }) => (Object.hasOwn(tools, tool) ? (tools[tool]?.dangerLevel ?? 0) : 0)));

const isOn = ({ enabled, capabilities }: StoredServer): boolean => enabled && capabilities.enabled;

/** Of whose agent it is, once they are gone. */
const NOBODY: AgentOwner = { userId: '', role: 3, permissions: {} };

const EMPTY: Lists = { tools: [], resources: [], templates: [], prompts: [] };

/** What there is to be called: the published queries. */
export const createCapabilities = ({ store, users, runtime, offers }: Ports): Handlers<Asker>['capabilities'] => {
  const offerOf = (key: ServerKey, who: Caller | null, enabled: boolean, layers: Switches[]): Offer => {
    const { tools, resources, templates, prompts } = offers.listing(key) ?? EMPTY;
    const list = (kind: CapabilityKind, definitions: Lists['tools'], nameKey: 'name' | 'uri' | 'uriTemplate') =>
      Object.fromEntries(
        definitions.flatMap((definition) => {
          const name = definition[nameKey];
          if (typeof name !== 'string') return [];
          const described = typeof definition.description === 'string' ? { description: definition.description } : {};
          const level = kind === 'tool' ? dangerOf(layers, name) : 0;
          const danger = level === 0 ? {} : { dangerLevel: level };
          return [[name, { enabled: offers.allows(key, who, kind, name), ...described, ...danger }]];
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

  const ownerOf = async (workspaceId: string, { ownerUserId }: User): Promise<AgentOwner | null> => {
    if (ownerUserId === null) return null;
    const owner = await users.find(workspaceId, ownerUserId);
    return owner ? { userId: ownerUserId, role: owner.role, permissions: owner.permissions } : NOBODY;
  };

  return {
    async available(_input, who) {
      const { workspaceId } = callerOf(who);
      const capabilities = await byServer(workspaceId, (server) => {
        const key = { workspaceId, serverId: server.serverId };
        if (!server.enabled || !offers.listing(key)) return undefined;
        return offerOf(key, null, isOn(server), [server.capabilities]);
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
        operations: null,
        isAuditor: false,
        owner: await ownerOf(workspaceId, user),
        tokenId: null,
        scope: EVERYWHERE,
        endsAt: null,
        permissions: user.permissions,
        preferences: {},
      };
      const capabilities = await byServer(workspaceId, ({ serverId, capabilities: own }) => {
        const key = { workspaceId, serverId };
        const granted = Object.hasOwn(user.permissions, serverId) ? user.permissions[serverId] : undefined;
        return offerOf(key, person, offers.allowsServer(key, person), granted ? [own, granted] : [own]);
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
      return { capabilities: offerOf({ workspaceId, serverId }, null, isOn(server), [server.capabilities]) };
    },
  };
};
