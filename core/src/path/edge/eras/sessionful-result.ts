import { SERVER_INFO_META_KEY } from '@modelcontextprotocol/server';
import type { Json, JsonObject } from '#call';

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Without what only 2026-07-28 knows: `resultType`, freshness, the server's own name. */
const withoutEnvelope = (result: JsonObject): JsonObject => {
  if (!('resultType' in result)) return result;
  const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, _meta, ...rest } = result;
  if (!isObject(_meta)) return rest;
  const { [SERVER_INFO_META_KEY]: _server, ...meta } = _meta;
  return Object.keys(meta).length > 0 ? { ...rest, _meta: meta } : rest;
};

const isText = (block: Json): boolean => isObject(block) && block.type === 'text';

/** Structured content is an object in these revisions. Any other value is told by the text beside it, or in its place. */
const withObjectContent = (result: JsonObject): JsonObject => {
  if (result.structuredContent === undefined || isObject(result.structuredContent)) return result;
  const { structuredContent, content, ...rest } = result;
  const blocks = Array.isArray(content) ? content : [];
  const twin = { type: 'text', text: JSON.stringify(structuredContent) };
  return { ...rest, content: blocks.some(isText) ? blocks : [...blocks, twin] };
};

const describesObject = (schema: Json | undefined): boolean =>
  schema === undefined || (isObject(schema) && schema.type === 'object');

/** One tool whose output is no object would make these clients refuse the whole list. */
const withObjectSchemas = (result: JsonObject): JsonObject => {
  const { tools } = result;
  const isFine = (tool: Json): boolean => !isObject(tool) || describesObject(tool.outputSchema);
  if (!Array.isArray(tools) || tools.every(isFine)) return result;
  const plain = (tool: Json): Json => {
    if (!isObject(tool) || isFine(tool)) return tool;
    const { outputSchema: _schema, ...rest } = tool;
    return rest;
  };
  return { ...result, tools: tools.map(plain) };
};

/** A result as the revisions to 2025-11-25 can read it. */
export const forSessionful = (result: JsonObject): JsonObject =>
  withObjectSchemas(withObjectContent(withoutEnvelope(result)));
