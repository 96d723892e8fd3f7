import type { NameStyle, Selected } from '@peta/api';
import { FIRST_WORKSPACE } from '#call';
import { type Endpoint, everything, forAnybody, pickSelected } from './endpoint.ts';
import type { Offer } from './naming.ts';

/** An endpoint as an administrator made it. */
export type EndpointRecord = {
  workspaceId: string;
  name: string;
  enabled: boolean;
  anonymous: boolean;
  nameStyle: NameStyle;
  selection: Selected[];
};

/** Where endpoints are kept. */
export type EndpointStore = {
  all(): Promise<EndpointRecord[]>;
  one(workspaceId: string, name: string): Promise<EndpointRecord | undefined>;
};

type Options = {
  store: EndpointStore;
  offers: { all(workspaceId: string): readonly Offer[] };
  /** How names are shown where no administrator has chosen. */
  nameStyle: NameStyle;
};

const ALL = '/mcp';
const PUBLIC = '/mcp/public';
const MADE = '/mcp/e/';

const made = ({ anonymous, nameStyle, selection }: EndpointRecord): Endpoint => ({
  nameStyle,
  anonymous,
  pick: (offers) => pickSelected(selection, offers),
});

/** Every address at which MCP is spoken, in memory. Filled from the store, kept current by changes. */
export const createEndpoints = ({ store, offers, nameStyle }: Options) => {
  const byName = new Map<string, Endpoint>();
  const fixed: Readonly<Record<string, Endpoint>> = { [ALL]: everything(nameStyle), [PUBLIC]: forAnybody(nameStyle) };
  let version = 0;

  const keyOf = (workspaceId: string, name: string): string => `${workspaceId} ${name}`;

  const take = (record: EndpointRecord): void => {
    if (record.enabled) byName.set(keyOf(record.workspaceId, record.name), made(record));
  };

  /** The endpoint at a path such as `/mcp/e/name`; undefined when there is none or it is switched off. */
  const at = (workspaceId: string, path: string): Endpoint | undefined => {
    if (path.startsWith(MADE)) return byName.get(keyOf(workspaceId, path.slice(MADE.length)));
    return Object.hasOwn(fixed, path) ? fixed[path] : undefined;
  };

  return {
    at,
    version: () => version,

    /** False only for the address of an endpoint that this workspace does not have, or has switched off. */
    isOpen: (workspaceId: string, path: string): boolean =>
      !path.startsWith(MADE) || at(workspaceId, path) !== undefined,

    /**
     * The servers that anybody may use at this address, each with how often a minute; undefined where a token is needed.
     * An address names no workspace: without a token there is only the first.
     */
    forAnybody(path: string): { workspaceId: string; servers: ReadonlyMap<string, number> } | undefined {
      const endpoint = at(FIRST_WORKSPACE, path);
      const picked = endpoint?.anonymous ? endpoint.pick(offers.all(FIRST_WORKSPACE)) : [];
      if (picked.length === 0) return undefined;
      const servers = picked.map(({ offer: { server } }): [string, number] => [
        server.serverId,
        server.anonymousRateLimit,
      ]);
      return { workspaceId: FIRST_WORKSPACE, servers: new Map(servers) };
    },

    /** Reads everything anew. */
    async load(): Promise<void> {
      const records = await store.all();
      byName.clear();
      for (const record of records) take(record);
      version += 1;
    },

    /** Reads one endpoint anew; one that is gone is forgotten. */
    async reload(workspaceId: string, name: string): Promise<void> {
      const record = await store.one(workspaceId, name);
      byName.delete(keyOf(workspaceId, name));
      if (record) take(record);
      version += 1;
    },
  };
};

export type Endpoints = ReturnType<typeof createEndpoints>;
