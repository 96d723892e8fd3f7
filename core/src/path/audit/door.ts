import { LRUCache } from 'lru-cache';

/** So many refusals a minute are written down one by one; after that only how many there were. */
const LIMIT_BY_ADDRESS = 30;
const LIMIT_OVERALL = 1_000;
const MINUTE_MS = 60_000;
const MAX_ADDRESSES = 1_000;
const MAX_WORKSPACES = 1_000;

type Window = { since: number; count: number };
const isMilestone = (count: number): boolean => Number.isInteger(Math.log10(count));

/** One workspace's: within a minute each of the first refusals, then the 100th, the 1,000th and so on. */
const createCounter = (now: () => number) => {
  const byAddress = new LRUCache<string, Window>({ max: MAX_ADDRESSES });
  let overall: Window = { since: 0, count: 0 };

  const counted = (held: Window | undefined): Window =>
    held && now() - held.since < MINUTE_MS ? { since: held.since, count: held.count + 1 } : { since: now(), count: 1 };

  /** What to add to the line of this refusal, or undefined when it gets none. */
  return (address: string): string | undefined => {
    const here = counted(byAddress.get(address));
    byAddress.set(address, here);
    if (here.count > LIMIT_BY_ADDRESS && !isMilestone(here.count)) return undefined;
    overall = counted(overall);
    if (overall.count > LIMIT_OVERALL)
      return isMilestone(overall.count)
        ? ` (${overall.count} such refusals within a minute, from many addresses)`
        : undefined;
    return here.count > LIMIT_BY_ADDRESS ? ` (${here.count} such refusals within a minute)` : '';
  };
};

/**
 * Keeps a flood of refusals from filling the disk: so many are written down for one address and for all together. A flood
 * of one workspace takes nothing out of the log of another.
 */
export const createDoor = (now: () => number) => {
  const counters = new LRUCache<string, ReturnType<typeof createCounter>>({ max: MAX_WORKSPACES });
  return (workspaceId: string, address: string): string | undefined => {
    const counter = counters.get(workspaceId) ?? createCounter(now);
    counters.set(workspaceId, counter);
    return counter(address);
  };
};
