import type { Selected, ToolChange } from '@peta/api';
import type { CapabilityKind, Definition, Json, JsonObject } from '#call';

const LIST = { tool: 'tools', resource: 'resources', prompt: 'prompts' } as const;

/** Is the capability, by the server's own name or URI, among what was chosen of the server? */
export const includes = ({ include }: Selected, kind: CapabilityKind, name: string): boolean =>
  include === undefined || include[LIST[kind]].includes(name);

/** How a tool, by the server's own name, is shown differently. */
export const changeOf = ({ changes }: Selected, tool: string): ToolChange | undefined =>
  changes !== undefined && Object.hasOwn(changes, tool) ? changes[tool] : undefined;

/** What a capability is called before a style is applied. */
export const labelOf = (chosen: Selected, kind: CapabilityKind, name: string): string =>
  (kind === 'tool' ? changeOf(chosen, name)?.name : undefined) ?? name;

/** The server's own name for what is called `label`; of a server whose list is not known, every label is taken for one. */
export const ownNameOf = (chosen: Selected, kind: CapabilityKind, label: string): string => {
  if (kind !== 'tool') return label;
  const renamed = Object.entries(chosen.changes ?? {}).find(([, change]) => change.name === label);
  return renamed?.[0] ?? label;
};

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An input schema without the arguments that the client does not give. */
const withoutArguments = (schema: Json | undefined, hidden: ReadonlySet<string>): Json | undefined => {
  if (!isObject(schema)) return schema;
  const { properties, required } = schema;
  return {
    ...schema,
    ...(isObject(properties) && {
      properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !hidden.has(name))),
    }),
    ...(Array.isArray(required) && { required: required.filter((name) => !hidden.has(String(name))) }),
  };
};

/** A tool as the endpoint describes it; its name is not applied here. */
export const describeTool = (tool: Definition, change: ToolChange | undefined): Definition => {
  if (!change) return tool;
  const { title, description, arguments: fixed } = change;
  return {
    ...tool,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(fixed && { inputSchema: withoutArguments(tool.inputSchema, new Set(Object.keys(fixed))) }),
  };
};

/**
 * A tool call's parameters with the arguments that the endpoint gives, or the name of one that the client sent although
 * it may not.
 */
export const withFixed = (
  params: JsonObject,
  fixed: NonNullable<ToolChange['arguments']>,
): { params: JsonObject } | { sent: string } => {
  const given = isObject(params.arguments) ? params.arguments : {};
  const sent = Object.keys(fixed).find((name) => Object.hasOwn(given, name));
  return sent === undefined ? { params: { ...params, arguments: { ...given, ...(fixed as JsonObject) } } } : { sent };
};
