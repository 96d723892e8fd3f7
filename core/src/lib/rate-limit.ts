const MINUTE_MS = 60_000;
const MAX_KEYS = 10_000;

type Count = { minute: number; before: number; now: number };

/**
 * Counts by key over a sliding minute, estimated from this minute and the one before. What is refused does not count.
 * Bounded: beyond the bound the key that was longest unused is forgotten.
 */
export const createRateLimit = (now: () => number) => {
  const counts = new Map<string, Count>();

  const countOf = (key: string, minute: number): Count => {
    const held = counts.get(key);
    if (held?.minute === minute) return held;
    return { minute, before: held?.minute === minute - 1 ? held.now : 0, now: 0 };
  };

  /** Takes one of `perMinute`, or says false when they are used up. */
  return (key: string, perMinute: number): boolean => {
    const at = now() / MINUTE_MS;
    const count = countOf(key, Math.floor(at));
    const used = count.before * (1 - (at % 1)) + count.now;
    const isFree = used + 1 <= perMinute;
    if (isFree) count.now += 1;
    counts.delete(key);
    counts.set(key, count);
    const [oldest] = counts.keys();
    if (counts.size > MAX_KEYS && oldest !== undefined) counts.delete(oldest);
    return isFree;
  };
};

export type RateLimit = ReturnType<typeof createRateLimit>;
