import type { ClientKind, Json, JsonObject } from '#call';

const EVERY_KIND: readonly ClientKind[] = ['elicitation', 'sampling', 'roots'];

const isDeclared = (value: Json | undefined): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** In which ways a client with these capabilities can be asked. */
export const kindsOf = (capabilities: JsonObject): ClientKind[] =>
  EVERY_KIND.filter((kind) => isDeclared(capabilities[kind]));

/** Is the same number for clients that can be asked in the same ways. */
export const kindsBits = (capabilities: JsonObject): number =>
  EVERY_KIND.reduce((bits, kind, at) => (isDeclared(capabilities[kind]) ? bits | (1 << at) : bits), 0);
