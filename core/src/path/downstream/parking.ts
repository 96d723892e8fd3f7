import { randomUUID } from 'node:crypto';
import type { Caller } from '#call';
import type { Run } from './run.ts';

type Options = {
  /** How long a call waits for its client to come back. */
  ttlMs: number;
};

type Place = { run: Run; principal: string; timer: NodeJS.Timeout };

const MAX_PARKED = 5_000;
const MAX_EACH = 100;

const principalOf = ({ workspaceId, kind, userId }: Caller): string => `${workspaceId}/${kind}/${userId}`;

/** Calls that wait, in the middle of their course, for a client to come back with answers. */
export const createParking = ({ ttlMs }: Options) => {
  const places = new Map<string, Place>();

  const isFull = (principal: string): boolean =>
    places.size >= MAX_PARKED ||
    [...places.values()].filter((place) => place.principal === principal).length >= MAX_EACH;

  return {
    /** Keeps the call for its client, or returns undefined when too many wait already. The place is good for one return. */
    park(caller: Caller, run: Run): string | undefined {
      const principal = principalOf(caller);
      if (isFull(principal)) return undefined;
      const id = randomUUID();
      const timer = setTimeout(() => {
        places.delete(id);
        run.abandon();
      }, ttlMs);
      timer.unref();
      places.set(id, { run, principal, timer });
      return id;
    },

    /** The call that waits there; it is taken, so that nobody takes it twice. */
    take(id: string): Run | undefined {
      const place = places.get(id);
      places.delete(id);
      clearTimeout(place?.timer);
      return place?.run;
    },

    count: (): number => places.size,

    close(): void {
      for (const { run, timer } of places.values()) {
        clearTimeout(timer);
        run.abandon();
      }
      places.clear();
    },
  };
};

export type Parking = ReturnType<typeof createParking>;
