import type { Caller, CapabilityKind, DangerLevel, Permissions, Scope, ServerRecord, Switches } from '#call';

type Layer = 'server' | 'administrator' | 'owner' | 'person' | 'token';
export type Verdict = { allowed: true } | { allowed: false; layer: Layer; reason: string };

const ALLOWED: Verdict = { allowed: true };
const LIST = { tool: 'tools', resource: 'resources', prompt: 'prompts' } as const;

/** Names come from servers and people: only an entry of its own counts, never one inherited from Object. */
const own = <T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;

const isOn = (switches: Switches | undefined, kind: CapabilityKind, name: string): boolean =>
  switches === undefined || (switches.enabled !== false && own(switches[LIST[kind]], name)?.enabled !== false);

const entry = (permissions: Permissions | undefined, serverId: string): Switches | undefined =>
  own(permissions, serverId);

const no = (layer: Layer, reason: string): Verdict => ({ allowed: false, layer, reason });

/** Whose permissions count: the caller, or the person whose agent it is. */
type Holder = Pick<Caller, 'role' | 'permissions'>;

const holds = (server: ServerRecord, { role, permissions }: Holder): boolean => {
  const granted = entry(permissions, server.serverId);
  return granted ? granted.enabled !== false : server.publicAccess || role === 1;
};

const reachesServer = (scope: Scope, { serverId, environment }: ServerRecord): boolean =>
  (scope.servers === null || scope.servers.includes(serverId)) &&
  (scope.environments === null || environment === null || scope.environments.includes(environment)) &&
  (scope.operations === null || scope.operations.includes('mcp')) &&
  (scope.tools === null || scope.tools.some((tool) => tool.startsWith(`${serverId}::`)));

/** May the caller, with this client, use anything of the server at all? */
export const allowsServer = (server: ServerRecord, caller: Caller, clientName: string): Verdict => {
  const { serverId } = server;
  if (!server.enabled || server.switches.enabled === false) return no('server', `The server ${serverId} is off.`);
  if (!holds(server, caller))
    return no('administrator', `The permissions of this person do not include the server ${serverId}.`);
  if (caller.owner && !holds(server, caller.owner))
    return no('owner', `The permissions of the person whose agent this is do not include the server ${serverId}.`);
  if (entry(own(caller.preferences, clientName), serverId)?.enabled === false)
    return no('person', `The person has switched the server ${serverId} off for the client ${clientName}.`);
  if (!reachesServer(caller.scope, server))
    return no('token', `The token's scope does not include the server ${serverId}.`);
  return ALLOWED;
};

/**
 * The layers as one pure function: the server's own switches, the administrator's for the person (or public access; the
 * owner sees what is not denied), for an agent those of the person whose it is, the person's for the client, and the
 * token's scope. Each only narrows. `name` is the capability's own name, its URI for resources.
 */
export const allows = (
  server: ServerRecord,
  caller: Caller,
  clientName: string,
  kind: CapabilityKind,
  name: string,
): Verdict => {
  const verdict = allowsServer(server, caller, clientName);
  if (!verdict.allowed) return verdict;
  const { serverId, switches } = server;
  if (caller.scope.kinds && !caller.scope.kinds.includes(kind))
    return no('token', `The token's scope does not include ${LIST[kind]}.`);
  if (!isOn(switches, kind, name)) return no('server', `The server ${serverId} does not expose the ${kind} ${name}.`);
  if (!isOn(entry(caller.permissions, serverId), kind, name))
    return no('administrator', `The permissions of this person do not include the ${kind} ${name} of ${serverId}.`);
  if (caller.owner && !isOn(entry(caller.owner.permissions, serverId), kind, name))
    return no('owner', `The person whose agent this is may not use the ${kind} ${name} of ${serverId}.`);
  if (!isOn(entry(own(caller.preferences, clientName), serverId), kind, name))
    return no('person', `The person has switched the ${kind} ${name} of ${serverId} off for the client ${clientName}.`);
  if (caller.scope.tools && !(kind === 'tool' && caller.scope.tools.includes(`${serverId}::${name}`)))
    return no('token', `The token's scope does not include the ${kind} ${name} of ${serverId}.`);
  return ALLOWED;
};

/** How dangerous a tool is to this caller: the highest that any layer says. 0 silent, 1 notification, 2 approval. */
export const dangerLevel = (server: ServerRecord, caller: Caller, clientName: string, tool: string): DangerLevel => {
  const layers = [
    server.switches,
    entry(caller.permissions, server.serverId),
    entry(caller.owner?.permissions, server.serverId),
    entry(own(caller.preferences, clientName), server.serverId),
  ];
  const levels = layers.map((layer) => own(layer?.tools, tool)?.dangerLevel ?? 0);
  return levels.includes(2) ? 2 : levels.includes(1) ? 1 : 0;
};
