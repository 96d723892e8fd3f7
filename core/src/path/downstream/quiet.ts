import type { Capability } from '#call';

type Place = Capability & { workspaceId: string };

/** What is known of one server: which of its capabilities were seen to work without asking anything. */
type Known = { quiet: Set<string>; asking: Set<string>; isUnreliable: boolean };

/** Resources are many and alike: they count as one. */
const nameOf = ({ kind, name }: Capability): string => (kind === 'resource' ? kind : `${kind} ${name}`);

/**
 * Learns which capabilities ask in their course. A server that asks over a connection shared by many cannot say whom it
 * means, so what may ask runs alone until it has been seen to be quiet.
 */
export const createQuiet = () => {
  const servers = new Map<string, Known>();

  const knownOf = ({ workspaceId, serverId }: Pick<Place, 'workspaceId' | 'serverId'>): Known => {
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

    /** It ran to its end, and asked or not. */
    ran(place: Place, hasAsked: boolean): void {
      const { quiet, asking } = knownOf(place);
      const name = nameOf(place);
      if (hasAsked) {
        asking.add(name);
        quiet.delete(name);
      } else if (!asking.has(name)) quiet.add(name);
    },

    /** It asked when nobody could say whom it meant: from now on everything of this server runs alone. */
    surprised(server: { workspaceId: string; serverId: string }): void {
      knownOf(server).isUnreliable = true;
    },
  };
};

export type Quiet = ReturnType<typeof createQuiet>;
