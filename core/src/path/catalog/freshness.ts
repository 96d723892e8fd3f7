import type { Freshness, Listing, ListName } from '#call';

const STALE: Freshness = { ttlMs: 0, cacheScope: 'private' };

const shorter = (one: Freshness, other: Freshness): Freshness => ({
  ttlMs: Math.min(one.ttlMs, other.ttlMs),
  cacheScope: one.cacheScope === 'public' && other.cacheScope === 'public' ? 'public' : 'private',
});

/**
 * How long a list made of several servers' lists holds: as long as the one that holds shortest, and for everybody only
 * where each part does and all callers are shown the same. Servers that have no such list do not count.
 */
export const freshnessOf = (
  listings: readonly (Listing | undefined)[],
  isSameForAll: boolean,
): Record<ListName, Freshness> => {
  const of = (list: ListName): Freshness => {
    if (!listings.every((listing) => listing?.freshness)) return STALE;
    const parts = listings.flatMap((listing) => listing?.freshness?.[list] ?? []);
    if (parts.length === 0) return STALE;
    const { ttlMs, cacheScope } = parts.reduce(shorter);
    return { ttlMs, cacheScope: isSameForAll ? cacheScope : 'private' };
  };
  return { tools: of('tools'), resources: of('resources'), templates: of('templates'), prompts: of('prompts') };
};
