import type { Endpoint, EndpointChanges, Handlers, NameStyle, Selected } from '@peta/api';
import { FIRST_WORKSPACE } from '#call';
import { endpointExists, invalid, noEndpoint } from './errors.ts';
import type { Asker } from './run.ts';
import type { ServerStore } from './servers.ts';
import { callerOf, type Publish } from './users.ts';

/** An endpoint as stored. */
export type StoredEndpoint = Omit<Endpoint, 'path' | 'notes'>;

export type EndpointStore = {
  list(workspaceId: string): Promise<StoredEndpoint[]>;
  find(workspaceId: string, name: string): Promise<StoredEndpoint | undefined>;
  /** Undefined when the name is taken. */
  create(
    workspaceId: string,
    endpoint: EndpointChanges & { name: string; selection: Selected[] },
  ): Promise<StoredEndpoint | undefined>;
  update(workspaceId: string, name: string, changes: EndpointChanges): Promise<StoredEndpoint | undefined>;
  remove(workspaceId: string, name: string): Promise<boolean>;
};

type Named = { kind: string; serverId: string; name: string };
/** Two capabilities that would be shown under one name. */
type Collision = { name: string; first: Named; second: Named };
type Choice = { nameStyle: NameStyle; selection: Selected[] };

type Ports = {
  store: EndpointStore;
  servers: Pick<ServerStore, 'list'>;
  /** What collides in a selection, by what its servers last listed. */
  collisions(workspaceId: string, choice: Choice): readonly Collision[];
  publish: Publish;
};

const NEEDS_TOKEN =
  'It needs a token all the same: without one there are only the endpoints of the first workspace of this Peta.';
const DEFAULT_STYLE: NameStyle = 'safe';

const wordsOf = ({ kind, serverId, name }: Named): string => `the ${kind} ${name} of ${serverId}`;

const refusalOf = ({ name, first, second }: Collision): string =>
  `selection: "${name}" would stand for both ${wordsOf(first)} and ${wordsOf(second)}. Rename one of them, leave one out, or choose a nameStyle that tells servers apart.`;

const noteOf = ({ name, first, second }: Collision): string =>
  `"${name}" is ${wordsOf(first)}; ${wordsOf(second)} came later and is reached as ${second.serverId}::${second.name}.`;

/** What is wrong with one server's part of a selection, or undefined. */
const faultOf = ({ serverId, include, changes = {} }: Selected): string | undefined => {
  const left = Object.keys(changes).find((tool) => include && !include.tools.includes(tool));
  return left && `selection: ${serverId}: changes: the tool ${left} is not among those that are included.`;
};

export const createEndpoints = ({ store, servers, collisions, publish }: Ports): Handlers<Asker>['endpoints'] => {
  const present = (workspaceId: string, endpoint: StoredEndpoint): Endpoint => ({
    ...endpoint,
    path: `/mcp/e/${endpoint.name}`,
    notes: [
      ...(endpoint.anonymous && workspaceId !== FIRST_WORKSPACE ? [NEEDS_TOKEN] : []),
      ...collisions(workspaceId, endpoint).map(noteOf),
    ],
  });

  const find = async (workspaceId: string, name: string): Promise<StoredEndpoint> => {
    const endpoint = await store.find(workspaceId, name);
    if (!endpoint) throw noEndpoint(name);
    return endpoint;
  };

  const check = async (workspaceId: string, { selection, nameStyle }: Choice): Promise<void> => {
    const known = new Set((await servers.list(workspaceId, undefined)).map(({ serverId }) => serverId));
    const seen = new Set<string>();
    for (const one of selection) {
      if (!known.has(one.serverId)) throw invalid(`selection: there is no server with the id "${one.serverId}".`);
      if (seen.has(one.serverId)) throw invalid(`selection: the server ${one.serverId} is there twice.`);
      seen.add(one.serverId);
      const fault = faultOf(one);
      if (fault) throw invalid(fault);
    }
    const [collision] = collisions(workspaceId, { selection, nameStyle });
    if (collision) throw invalid(refusalOf(collision));
  };

  return {
    async list(_input, who) {
      const { workspaceId } = callerOf(who);
      return { endpoints: (await store.list(workspaceId)).map((endpoint) => present(workspaceId, endpoint)) };
    },

    async get({ name }, who) {
      const { workspaceId } = callerOf(who);
      return { endpoint: present(workspaceId, await find(workspaceId, name)) };
    },

    async create(input, who) {
      const { workspaceId } = callerOf(who);
      const { selection, nameStyle = DEFAULT_STYLE } = input;
      await check(workspaceId, { selection, nameStyle });
      const endpoint = await store.create(workspaceId, { ...input, nameStyle });
      if (!endpoint) throw endpointExists(input.name);
      await publish({ topic: 'endpoint', workspaceId, id: endpoint.name });
      return { endpoint: present(workspaceId, endpoint) };
    },

    async update({ name, ...changes }, who) {
      const { workspaceId } = callerOf(who);
      const before = await find(workspaceId, name);
      who.before(before);
      const { selection = before.selection, nameStyle = before.nameStyle } = changes;
      if (changes.selection || changes.nameStyle) await check(workspaceId, { selection, nameStyle });
      const endpoint = await store.update(workspaceId, name, changes);
      if (!endpoint) throw noEndpoint(name);
      await publish({ topic: 'endpoint', workspaceId, id: name });
      return { endpoint: present(workspaceId, endpoint) };
    },

    async remove({ name }, who) {
      const { workspaceId } = callerOf(who);
      who.before(await find(workspaceId, name));
      if (!(await store.remove(workspaceId, name))) throw noEndpoint(name);
      await publish({ topic: 'endpoint', workspaceId, id: name });
      return { message: `The endpoint ${name} was removed.` };
    },
  };
};
