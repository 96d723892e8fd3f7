import { expect, test } from 'vitest';
import type { Freshness, Listing } from '#call';
import { freshnessOf } from './freshness.ts';

const EMPTY: Listing = { tools: [], resources: [], templates: [], prompts: [] };
const listing = (tools?: Freshness): Listing => ({ ...EMPTY, freshness: tools ? { tools } : {} });
const long: Freshness = { ttlMs: 9_000, cacheScope: 'public' };
const short: Freshness = { ttlMs: 1_000, cacheScope: 'private' };
const STALE: Freshness = { ttlMs: 0, cacheScope: 'private' };

test.each<[string, (Listing | undefined)[], boolean, Freshness]>([
  ['is that of a server alone', [listing(long)], true, long],
  ['is the shortest, and private if any is', [listing(long), listing(short)], true, short],
  ['is private where callers differ', [listing(long)], false, { ttlMs: 9_000, cacheScope: 'private' }],
  ['does not mind servers without such a list', [listing(long), listing()], true, long],
  ['is none where no server has such a list', [listing()], true, STALE],
  ['is none where no server is', [], true, STALE],
  ['is none while a list is not known', [listing(long), undefined], true, STALE],
  ['is none where a listing was stored before it was kept', [listing(long), EMPTY], true, STALE],
])('the freshness of a list %s', (_what, listings, isSameForAll, expected) => {
  expect(freshnessOf(listings, isSameForAll).tools).toEqual(expected);
});
