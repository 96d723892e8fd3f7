import type { ClientKind, Listing, ServerRecord } from '#call';
import type { Offers } from './catalog.ts';
import type { Offer } from './naming.ts';
import { withBase, withVariant } from './variants.ts';

/** Where servers and what they last listed are kept. */
export type ServerStore = {
  all(): Promise<Offer[]>;
  one(workspaceId: string, serverId: string): Promise<Offer | undefined>;
  saveListing(workspaceId: string, serverId: string, listing: Listing): Promise<void>;
};

/** Everything registered, in memory: what the hot path reads. Filled from the store, kept current by changes. */
export const createRegistry = (store: ServerStore) => {
  const offers = new Map<string, Map<string, Offer>>();
  let version = 0;
  let sorted = new Map<string, readonly Offer[]>();

  const changed = () => {
    version += 1;
    sorted = new Map();
  };

  /** What servers listed here: a read that began before it was stored must not bring back what was before. */
  const learntHere = new Map<string, { listing: Listing; at: number; isSaved: boolean }>();
  let clock = 0;
  const tick = (): number => {
    clock += 1;
    return clock;
  };
  const withLearnt = (offer: Offer, since: number): Offer => {
    const own = learntHere.get(`${offer.server.workspaceId}/${offer.server.serverId}`);
    return own && (!own.isSaved || own.at > since) ? { ...offer, listing: own.listing } : offer;
  };

  const ofWorkspace = (workspaceId: string): Map<string, Offer> => {
    const held = offers.get(workspaceId) ?? new Map<string, Offer>();
    offers.set(workspaceId, held);
    return held;
  };

  const all = (workspaceId: string): readonly Offer[] => {
    const held = sorted.get(workspaceId);
    if (held) return held;
    const list = [...ofWorkspace(workspaceId).values()].sort((a, b) =>
      a.server.serverId < b.server.serverId ? -1 : 1,
    );
    sorted.set(workspaceId, list);
    return list;
  };

  const keep = async (held: Offer, listing: Listing): Promise<boolean> => {
    if (JSON.stringify(held.listing) === JSON.stringify(listing)) return false;
    const { workspaceId, serverId } = held.server;
    ofWorkspace(workspaceId).set(serverId, { ...held, listing });
    changed();
    const own = { listing, at: tick(), isSaved: false };
    learntHere.set(`${workspaceId}/${serverId}`, own);
    await store.saveListing(workspaceId, serverId, listing);
    own.isSaved = true;
    own.at = tick();
    return true;
  };

  return {
    all,
    /** Of every workspace. */
    everything: (): Offer[] => [...offers.values()].flatMap((held) => [...held.values()]),
    version: () => version,

    get: (workspaceId: string, serverId: string): Offer | undefined => offers.get(workspaceId)?.get(serverId),

    server: (workspaceId: string, serverId: string): ServerRecord | undefined =>
      offers.get(workspaceId)?.get(serverId)?.server,

    /** Reads everything anew. */
    async load(): Promise<void> {
      const since = clock;
      const found = await store.all();
      offers.clear();
      for (const offer of found)
        ofWorkspace(offer.server.workspaceId).set(offer.server.serverId, withLearnt(offer, since));
      changed();
    },

    /** Reads one server anew; one that is gone is forgotten. */
    async reload(workspaceId: string, serverId: string): Promise<Offer | undefined> {
      const since = clock;
      const offer = await store.one(workspaceId, serverId);
      if (offer) ofWorkspace(workspaceId).set(serverId, withLearnt(offer, since));
      else {
        ofWorkspace(workspaceId).delete(serverId);
        learntHere.delete(`${workspaceId}/${serverId}`);
      }
      changed();
      return offer;
    },

    /**
     * Takes what a server lists now, to everybody or to clients of these kinds; returns whether that differs from before.
     * It holds even when it cannot be stored.
     */
    async learnt(
      workspaceId: string,
      serverId: string,
      listing: Listing,
      kinds: readonly ClientKind[] = [],
    ): Promise<boolean> {
      const held = offers.get(workspaceId)?.get(serverId);
      if (!held) return false;
      if (kinds.length === 0) return keep(held, withBase(held.listing, listing));
      return held.listing ? keep(held, withVariant(held.listing, held.server.revision, kinds, listing)) : false;
    },
  } satisfies Offers & Record<string, unknown>;
};

export type Registry = ReturnType<typeof createRegistry>;
