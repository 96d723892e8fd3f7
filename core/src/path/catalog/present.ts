import type { Capability, Definition, Json, JsonObject } from '#call';
import { exposedName, exposedUri, type NameStyle } from './names.ts';

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const withUri = (serverId: string, value: JsonObject): JsonObject =>
  typeof value.uri === 'string' ? { ...value, uri: exposedUri(serverId, value.uri) } : value;

/** A content block: links and embedded resources name a URI. */
const block = (serverId: string, value: Json): Json => {
  if (!isObject(value)) return value;
  if (value.type === 'resource_link') return withUri(serverId, value);
  if (value.type === 'resource' && isObject(value.resource))
    return { ...value, resource: withUri(serverId, value.resource) };
  return value;
};

const blocks = (serverId: string, value: Json | undefined): Json | undefined => {
  if (Array.isArray(value)) return value.map((item) => block(serverId, item));
  return value === undefined ? undefined : block(serverId, value);
};

const message = (serverId: string, value: Json): Json =>
  isObject(value) ? { ...value, content: blocks(serverId, value.content) } : value;

/** A server's result with the URIs in it as the client knows them; everything else stays as it is. */
export const presentResult = (method: string, { serverId }: Capability, result: JsonObject): JsonObject => {
  switch (method) {
    case 'tools/call':
      return Array.isArray(result.content) ? { ...result, content: blocks(serverId, result.content) } : result;
    case 'prompts/get':
      return Array.isArray(result.messages)
        ? { ...result, messages: result.messages.map((m) => message(serverId, m)) }
        : result;
    case 'resources/read':
      return Array.isArray(result.contents)
        ? { ...result, contents: result.contents.map((c) => (isObject(c) ? withUri(serverId, c) : c)) }
        : result;
    default:
      return result;
  }
};

/** MCP Apps: a tool's user interface is a resource of the same server. */
const withUi = (serverId: string, meta: Json | undefined): Json | undefined => {
  if (!isObject(meta)) return meta;
  const flat = meta['ui/resourceUri'];
  const nested = isObject(meta.ui) && typeof meta.ui.resourceUri === 'string' ? meta.ui : undefined;
  return {
    ...meta,
    ...(typeof flat === 'string' && { 'ui/resourceUri': exposedUri(serverId, flat) }),
    ...(nested && { ui: { ...nested, resourceUri: exposedUri(serverId, String(nested.resourceUri)) } }),
  };
};

export const presentTool = (style: NameStyle, serverId: string, name: string, tool: Definition): Definition => ({
  ...tool,
  name: exposedName(style, serverId, name),
  ...('_meta' in tool && { _meta: withUi(serverId, tool._meta) }),
});

export const presentPrompt = (style: NameStyle, serverId: string, name: string, prompt: Definition): Definition => ({
  ...prompt,
  name: exposedName(style, serverId, name),
});

export const presentResource = (serverId: string, uri: string, resource: Definition): Definition => ({
  ...resource,
  uri: exposedUri(serverId, uri),
});

export const presentTemplate = (serverId: string, uriTemplate: string, template: Definition): Definition => ({
  ...template,
  uriTemplate: exposedUri(serverId, uriTemplate),
});
