import { type Arrival, type Caller, EVERYWHERE, type Refused } from '#call';
import { networkOf } from '#lib/network';
import type { RateLimit } from '#lib/rate-limit';
import { namedCaller } from './person.ts';

/** Where somebody without a token may go. */
export type EndpointPort = {
  /** False only for the address of an endpoint that this workspace does not have, or has switched off. */
  isOpen(workspaceId: string, path: string): boolean;
  /** The servers that anybody may use at this address, of the first workspace, each with how often a minute; undefined where a token is needed. */
  forAnybody(path: string): { workspaceId: string; servers: ReadonlyMap<string, number> } | undefined;
};

type Options = { endpoints: EndpointPort; take: RateLimit };

/** Requests a minute that reach no server: beginning a session, lists. */
const BESIDES_CALLS = 60;

const TOO_MANY: Refused = {
  kind: 'refused',
  code: 'rate-limited',
  reason: 'Too many requests without a token from this address: wait a minute, or use a token.',
};

/** Whoever comes without a token, where that is enough: one caller for each endpoint, the same until what it may use changes. */
export const createAnonymous = ({ endpoints, take }: Options) => {
  const callers = new Map<string, { serverIds: string; caller: Caller }>();

  /** Who anybody is at this address, or undefined where a token is needed. */
  const at = (path: string): Caller | undefined => {
    const open = endpoints.forAnybody(path);
    if (!open) {
      callers.delete(path);
      return undefined;
    }
    const ids = [...open.servers.keys()];
    const serverIds = JSON.stringify(ids);
    const held = callers.get(path);
    if (held?.serverIds === serverIds) return held.caller;
    const caller: Caller = {
      ...namedCaller(open.workspaceId, null),
      kind: 'anonymous',
      scope: { ...EVERYWHERE, servers: ids, endpoints: [path] },
      permissions: Object.fromEntries(ids.map((serverId) => [serverId, { enabled: true }])),
    };
    callers.set(path, { serverIds, caller });
    return caller;
  };

  return {
    at,

    /** Lets somebody in at an address, so often a minute. Undefined where a token is needed. */
    admit({ endpoint, address }: Arrival): Caller | Refused | undefined {
      const caller = at(endpoint);
      if (!caller) return undefined;
      const limits = [...(endpoints.forAnybody(endpoint)?.servers.values() ?? [])];
      const perMinute = limits.reduce((sum, limit) => sum + limit, BESIDES_CALLS);
      return take(`${endpoint} ${networkOf(address)}`, perMinute) ? caller : TOO_MANY;
    },
  };
};
