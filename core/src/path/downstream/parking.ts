import { randomUUID } from 'node:crypto';
import type { Present, Run } from './run.ts';

type Options = {
  /** How long a call waits for its client to come back. */
  ttlMs: number;
};

type Place = { run: Run; party: string; timer: NodeJS.Timeout };

const MAX_PARKED = 5_000;
const MAX_EACH = 100;

/** Somebody without a name is known by the address. */
const partyOf = ({ caller: { workspaceId, kind, userId }, address }: Present): string =>
  JSON.stringify([workspaceId, kind, kind === 'anonymous' ? address : userId]);

/** Calls that wait, in the middle of their course, for a client to come back with answers. */
export const createParking = ({ ttlMs }: Options) => {
  const places = new Map<string, Place>();
  const counts = new Map<string, number>();

  const leave = (id: string): Place | undefined => {
    const place = places.get(id);
    if (!place) return undefined;
    places.delete(id);
    clearTimeout(place.timer);
    const left = (counts.get(place.party) ?? 1) - 1;
    if (left > 0) counts.set(place.party, left);
    else counts.delete(place.party);
    return place;
  };

  return {
    /** Keeps the call for its client, or returns undefined when too many wait already. The place is good for one return. */
    park(call: Present, run: Run): string | undefined {
      const party = partyOf(call);
      const count = counts.get(party) ?? 0;
      if (places.size >= MAX_PARKED || count >= MAX_EACH) return undefined;
      const id = randomUUID();
      const timer = setTimeout(() => leave(id)?.run.abandon(), ttlMs);
      timer.unref();
      places.set(id, { run, party, timer });
      counts.set(party, count + 1);
      return id;
    },

    /** The call that waits there; it is taken, so that nobody takes it twice. */
    take: (id: string): Run | undefined => leave(id)?.run,

    count: (): number => places.size,

    close(): void {
      for (const id of [...places.keys()]) leave(id)?.run.abandon();
    },
  };
};

export type Parking = ReturnType<typeof createParking>;
