/** Parameters of a tool that HTTP headers repeat (2026-07-28, Streamable HTTP, "Custom Headers from Tool Parameters"). */

/** `header` is the whole name; `path` leads to the value in the arguments. */
export type MirroredParam = { header: string; path: readonly string[] };

type Found = { params: readonly MirroredParam[] } | { fault: string };
type Members = Record<string, unknown>;

const ANNOTATION = 'x-mcp-header';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const MIRRORED_TYPES: readonly unknown[] = ['string', 'integer', 'boolean'];
/** Deeper than anybody's arguments; schemas come from strangers. */
const MAX_DEPTH = 64;

/** Keywords with a schema, or a list of them, that no chain of `properties` leads through. */
const SCHEMAS = [
  ...['items', 'prefixItems', 'additionalItems', 'contains', 'unevaluatedItems'],
  ...['additionalProperties', 'unevaluatedProperties', 'propertyNames', 'contentSchema'],
  ...['oneOf', 'anyOf', 'allOf', 'not', 'if', 'then', 'else'],
];
/** Keywords with named schemas, likewise. */
const NAMED_SCHEMAS = ['$defs', 'definitions', 'patternProperties', 'dependentSchemas', 'dependencies'];

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const named = (value: unknown): [string, unknown][] => (isMembers(value) ? Object.entries(value) : []);

/** Finds what is wrong with an annotation where it stands, or undefined. `path` is undefined off the chain. */
const faultOf = (schema: Members, path: readonly string[] | undefined): string | undefined => {
  const name = schema[ANNOTATION];
  if (path === undefined || path.length === 0)
    return `${ANNOTATION} stands where no chain of properties leads from the root of the schema.`;
  const place = `${ANNOTATION} of ${JSON.stringify(path.join('.'))}`;
  if (typeof name !== 'string' || !TOKEN.test(name)) return `${place} is no name that a header can have.`;
  if (!MIRRORED_TYPES.includes(schema.type)) return `${place} is on something other than a string, integer or boolean.`;
  return undefined;
};

/** The annotated parameters of a tool's input schema, or why the tool must not be used. */
export const mirroredParams = (inputSchema: unknown): Found => {
  const byHeader = new Map<string, MirroredParam>();
  let fault: string | undefined;

  const take = (schema: Members, path: readonly string[] | undefined): void => {
    fault ??= faultOf(schema, path);
    const header = `Mcp-Param-${String(schema[ANNOTATION])}`;
    const key = header.toLowerCase();
    if (byHeader.has(key)) fault ??= `${ANNOTATION} asks for the header ${header} twice.`;
    if (fault === undefined && path) byHeader.set(key, { header, path });
  };

  const visit = (schema: unknown, path: readonly string[] | undefined, depth: number): void => {
    if (!isMembers(schema) || depth > MAX_DEPTH || fault !== undefined) return;
    if (Object.hasOwn(schema, ANNOTATION)) take(schema, path);
    for (const [name, child] of named(schema.properties)) visit(child, path && [...path, name], depth + 1);
    for (const keyword of SCHEMAS) for (const child of [schema[keyword]].flat()) visit(child, undefined, depth + 1);
    for (const keyword of NAMED_SCHEMAS)
      for (const [, child] of named(schema[keyword])) visit(child, undefined, depth + 1);
  };

  visit(inputSchema, [], 0);
  return fault === undefined ? { params: [...byHeader.values()] } : { fault };
};

/** What stands at the path in the arguments of a call, or undefined. */
export const valueAt = (args: unknown, path: readonly string[]): unknown => {
  let value = args;
  for (const name of path) value = isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
};
