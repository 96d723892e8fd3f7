import type { Capability } from '#call';

type Server = { workspaceId: string; serverId: string };
type Place = Capability & { workspaceId: string };

/** What is known of one server: which of its capabilities were seen to work without asking anything. */
type Known = { quiet: Set<string>; asking: Set<string>; isUnreliable: boolean };

/** Resources are many and alike: they count as one. */
const nameOf = ({ kind, name }: Capability): string => (kind === 'resource' ? kind : `${kind} ${name}`);

/**
 * Learns which capabilities ask in their course. A server that asks over a connection shared by many cannot say whom it
 * means, so what may ask runs alone until it has been seen to be quiet. What asks now and then is found out when it does.
 */
export const createQuiet = () => {
  const servers = new Map<string, Known>();

  const knownOf = ({ workspaceId, serverId }: Server): Known => {
    const key = `${workspaceId}/${serverId}`;
    const known = servers.get(key) ?? { quiet: new Set(), asking: new Set(), isUnreliable: false };
    servers.set(key, known);
    return known;
  };

  return {
    mayAsk(place: Place): boolean {
      const { quiet, isUnreliable } = knownOf(place);
      return isUnreliable || !quiet.has(nameOf(place));
    },

    asked(place: Place): void {
      const { quiet, asking } = knownOf(place);
      asking.add(nameOf(place));
      quiet.delete(nameOf(place));
    },

    /** It did what it is for. */
    succeeded(place: Place): void {
      const { quiet, asking } = knownOf(place);
      if (!asking.has(nameOf(place))) quiet.add(nameOf(place));
    },

    /** It asked when nobody could say whom it meant: from now on everything of this server runs alone. */
    surprised(server: Server): void {
      knownOf(server).isUnreliable = true;
    },

    /** It is another server now, or gone. */
    forget({ workspaceId, serverId }: Server): void {
      servers.delete(`${workspaceId}/${serverId}`);
    },
  };
};

export type Quiet = ReturnType<typeof createQuiet>;
