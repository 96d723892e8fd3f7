import { SERVER_INFO_META_KEY } from '@modelcontextprotocol/server';
import type { Admitted, Asks, Freshness, JsonObject, Retry } from '#call';
import type { EdgeParts } from '../edge.ts';

/** Holds for no time, and for nobody else. */
export const STALE: Freshness = { ttlMs: 0, cacheScope: 'private' };

/**
 * How long what was read holds, as its server says. What came of answers holds for no other request, and somebody who was
 * let in by name may have been shown what others may not see.
 */
export const freshnessOfRead = (
  { ttlMs, cacheScope }: JsonObject,
  { caller }: Admitted,
  retry: Retry | undefined,
): Freshness => {
  if (retry) return STALE;
  return {
    ttlMs: typeof ttlMs === 'number' && ttlMs > 0 ? Math.floor(ttlMs) : 0,
    cacheScope: cacheScope === 'public' && caller.kind === 'anonymous' ? 'public' : 'private',
  };
};

/** A server's result in the words of 2026-07-28. */
export const complete = (
  { product }: Pick<EdgeParts, 'product'>,
  result: JsonObject,
  freshness: Freshness | undefined,
): JsonObject => ({
  resultType: 'complete',
  ...result,
  ...freshness,
  _meta: {
    ...(result._meta as JsonObject | undefined),
    [SERVER_INFO_META_KEY]: { name: product.name, title: product.title, version: product.version },
  },
});

/** Of pages that users are sent to, only 2025-11-25 knows ids. */
const withoutPageIds = (questions: Asks['questions']): JsonObject =>
  Object.fromEntries(
    Object.entries(questions).map(([key, { method, params }]) => {
      const { elicitationId: _id, ...rest } = params;
      return [key, { method, params: rest }];
    }),
  );

/** "Multi Round-Trip Requests": the answer asks, and the request comes again with answers. */
export const inputRequired = ({ questions, state }: Asks): JsonObject => ({
  resultType: 'input_required',
  ...(Object.keys(questions).length > 0 && { inputRequests: withoutPageIds(questions) }),
  ...(state !== undefined && { requestState: state }),
});
