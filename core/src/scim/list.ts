import type { Json, JsonObject } from '#call';
import { invalidValue } from './errors.ts';
import { type Filter, parseFilter } from './filter.ts';
import { isObject } from './read.ts';
import { type Schema, withoutUrn } from './schema.ts';

/** Which resources somebody asks for, and in what order (RFC 7644 section 3.4.2). */
export type Query = {
  filter: Filter | undefined;
  sortBy: string | undefined;
  isDescending: boolean;
  /** How many to pass over. */
  offset: number;
  count: number;
};

/** Which attributes of each (RFC 7644 section 3.9), in lower case without URNs. */
export type Shown = { attributes: ReadonlySet<string> | undefined; excluded: ReadonlySet<string> };

export const MAX_RESULTS = 500;
const DEFAULT_RESULTS = 100;
const MAX_OFFSET = 10_000_000;
const MAX_NAMES = 200;
const ALWAYS = new Set(['id', 'schemas']);

const textOf = (name: string, value: unknown): string | undefined => {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalidValue(`${name} must be given once, as text.`);
  return value;
};

const numberOf = (name: string, value: unknown, otherwise: number, least: number, most: number): number => {
  if (value === undefined || value === null || value === '') return otherwise;
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  if (!/^[+-]?\d{1,15}$/.test(text)) throw invalidValue(`${name} must be a whole number.`);
  return Math.min(most, Math.max(least, Number(text)));
};

const namesOf = (schema: Schema, name: string, value: unknown): ReadonlySet<string> | undefined => {
  if (value === undefined || value === null || value === '') return undefined;
  const names: unknown[] = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [value];
  if (names.length > MAX_NAMES) throw invalidValue(`${name} may hold ${MAX_NAMES} names.`);
  return new Set(
    names.map((one) => {
      if (typeof one !== 'string') throw invalidValue(`${name} must be names of attributes.`);
      return withoutUrn(schema, one.trim()).toLowerCase();
    }),
  );
};

/** What was asked for, by the query of a GET or the body of a search. */
export const readQuery = (schema: Schema, asked: Record<string, unknown>): Query => {
  const order = textOf('sortOrder', asked.sortOrder)?.toLowerCase() ?? 'ascending';
  if (order !== 'ascending' && order !== 'descending') throw invalidValue('sortOrder is ascending or descending.');
  const filter = textOf('filter', asked.filter);
  const sortBy = textOf('sortBy', asked.sortBy);
  return {
    filter: filter === undefined ? undefined : parseFilter(filter),
    sortBy: sortBy === undefined ? undefined : withoutUrn(schema, sortBy),
    isDescending: order === 'descending',
    offset: numberOf('startIndex', asked.startIndex, 1, 1, MAX_OFFSET) - 1,
    count: numberOf('count', asked.count, DEFAULT_RESULTS, 0, MAX_RESULTS),
  };
};

export const readShown = (schema: Schema, asked: Record<string, unknown>): Shown => {
  const attributes = namesOf(schema, 'attributes', asked.attributes);
  const excluded = namesOf(schema, 'excludedAttributes', asked.excludedAttributes) ?? new Set();
  if (attributes && excluded.size > 0) throw invalidValue('Give attributes or excludedAttributes, not both.');
  return { attributes, excluded };
};

/** Must an attribute be looked up, or will nobody see it? */
export const isShown = ({ attributes, excluded }: Shown, name: string): boolean =>
  attributes ? [...attributes].some((one) => one === name || one.startsWith(`${name}.`)) : !excluded.has(name);

const pickParts = (value: Json | undefined, keep: (key: string) => boolean): Json | undefined => {
  if (Array.isArray(value)) return value.map((item) => pickParts(item, keep) ?? null);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value as JsonObject).filter(([key]) => keep(key.toLowerCase())));
};

/** The resource with what is to be shown of it. */
export const project = (resource: JsonObject, { attributes, excluded }: Shown): JsonObject => {
  const shown: JsonObject = {};
  for (const [key, value] of Object.entries(resource)) {
    const name = key.toLowerCase();
    const isWhole = ALWAYS.has(name) || (attributes ? attributes.has(name) : true);
    const hasParts = attributes !== undefined && [...attributes].some((one) => one.startsWith(`${name}.`));
    if (!ALWAYS.has(name) && (excluded.has(name) || (!isWhole && !hasParts))) continue;
    if (isWhole) shown[key] = pickParts(value, (part) => !excluded.has(`${name}.${part}`));
    else shown[key] = pickParts(value, (part) => attributes?.has(`${name}.${part}`) ?? true);
  }
  return shown;
};

/** RFC 7644 section 3.4.2. */
export const toList = (resources: JsonObject[], total: number, offset: number): JsonObject => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
  totalResults: total,
  startIndex: offset + 1,
  itemsPerPage: resources.length,
  Resources: resources,
});
