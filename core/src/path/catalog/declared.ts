import type { Json, JsonObject, Listing } from '#call';

/** Extensions that Peta speaks itself: what a server declares of them does not hold here. */
const OURS = new Set(['io.modelcontextprotocol/tasks']);

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The settings under one name. Where servers differ, each setting is that of the first server that has it. */
const joined = (one: Json | undefined, other: Json | undefined): Json | undefined =>
  isObject(one) && isObject(other) ? { ...other, ...one } : (one ?? other);

/** Everything that some server declares of a kind, one server's settings as they came. */
const union = (kind: 'extensions' | 'experimental', listings: readonly (Listing | undefined)[]): JsonObject => {
  const all: JsonObject = {};
  for (const listing of listings) {
    const declared = listing?.capabilities?.[kind];
    for (const [name, settings] of isObject(declared) ? Object.entries(declared) : [])
      if (!OURS.has(name)) all[name] = name in all ? joined(all[name], settings) : settings;
  }
  return all;
};

/** What servers declare that Peta need not understand to carry it. Kinds that nobody declares are left out. */
export const declaredBy = (listings: readonly (Listing | undefined)[]): JsonObject => {
  const extensions = union('extensions', listings);
  const experimental = union('experimental', listings);
  return {
    ...(Object.keys(extensions).length > 0 && { extensions }),
    ...(Object.keys(experimental).length > 0 && { experimental }),
  };
};
