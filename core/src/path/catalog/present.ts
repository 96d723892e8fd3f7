import type { Selected } from '@peta/api';
import type { Definition, Json, JsonObject, ListName, TaskState } from '#call';
import { changeOf, describeTool } from './chosen.ts';

/** A server's own URI → the one its clients know. */
type UriOf = (uri: string) => string;

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const withUri = (uriOf: UriOf, value: JsonObject): JsonObject =>
  typeof value.uri === 'string' ? { ...value, uri: uriOf(value.uri) } : value;

/** A content block: links and embedded resources name a URI. */
const block = (uriOf: UriOf, value: Json): Json => {
  if (!isObject(value)) return value;
  if (value.type === 'resource_link') return withUri(uriOf, value);
  if (value.type === 'resource' && isObject(value.resource))
    return { ...value, resource: withUri(uriOf, value.resource) };
  return value;
};

const blocks = (uriOf: UriOf, value: Json | undefined): Json | undefined => {
  if (Array.isArray(value)) return value.map((item) => block(uriOf, item));
  return value === undefined ? undefined : block(uriOf, value);
};

const message = (uriOf: UriOf, value: Json): Json =>
  isObject(value) ? { ...value, content: blocks(uriOf, value.content) } : value;

/** A server's result with the URIs in it as the client knows them; everything else stays as it is. */
export const presentResult = (method: string, uriOf: UriOf, result: JsonObject): JsonObject => {
  switch (method) {
    case 'tasks/result':
    case 'tools/call':
      return Array.isArray(result.content) ? { ...result, content: blocks(uriOf, result.content) } : result;
    case 'prompts/get':
      return Array.isArray(result.messages)
        ? { ...result, messages: result.messages.map((m) => message(uriOf, m)) }
        : result;
    case 'resources/read':
      return Array.isArray(result.contents)
        ? { ...result, contents: result.contents.map((c) => (isObject(c) ? withUri(uriOf, c) : c)) }
        : result;
    default:
      return result;
  }
};

/** A task with the URIs in what it ended with, if it has, as the client knows them. */
export const presentTask = (uriOf: UriOf, task: TaskState): TaskState =>
  isObject(task.result) ? { ...task, result: presentResult('tools/call', uriOf, task.result) } : task;

/** MCP Apps: a tool's user interface is a resource of the same server. */
const withUi = (uriOf: UriOf, meta: Json | undefined): Json | undefined => {
  if (!isObject(meta)) return meta;
  const flat = meta['ui/resourceUri'];
  const nested = isObject(meta.ui) && typeof meta.ui.resourceUri === 'string' ? meta.ui : undefined;
  return {
    ...meta,
    ...(typeof flat === 'string' && { 'ui/resourceUri': uriOf(flat) }),
    ...(nested && { ui: { ...nested, resourceUri: uriOf(String(nested.resourceUri)) } }),
  };
};

type Shown = { shown: string; uriOf: UriOf; chosen: Selected };
type Present = (definition: Definition, as: Shown) => Definition;

const tool: Present = (definition, { shown, uriOf, chosen }) => ({
  ...describeTool(definition, changeOf(chosen, String(definition.name))),
  name: shown,
  ...('_meta' in definition && { _meta: withUi(uriOf, definition._meta) }),
});

/** A server's entry of each list, as clients are shown it. */
export const present: Record<ListName, Present> = {
  tools: tool,
  prompts: (definition, { shown }) => ({ ...definition, name: shown }),
  resources: (definition, { shown }) => ({ ...definition, uri: shown }),
  templates: (definition, { shown }) => ({ ...definition, uriTemplate: shown }),
};
