import { SERVER_INFO_META_KEY } from '@modelcontextprotocol/server';
import type { JsonObject } from '#call';

/** A result without what only 2026-07-28 knows: `resultType`, freshness, the server's own name. */
export const forSessionful = (result: JsonObject): JsonObject => {
  if (!('resultType' in result)) return result;
  const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, _meta, ...rest } = result;
  if (typeof _meta !== 'object' || _meta === null || Array.isArray(_meta)) return rest;
  const { [SERVER_INFO_META_KEY]: _server, ...meta } = _meta;
  return Object.keys(meta).length > 0 ? { ...rest, _meta: meta } : rest;
};
