import type { Json, JsonObject } from '#call';
import { invalidSyntax, invalidValue, quoted } from './errors.ts';
import { booleanOf } from './match.ts';
import { type Attribute, attributeOf, COMMON, type Schema } from './schema.ts';

const MAX_TEXT = 1_024;
/** Of what the database looks people up by. */
const MAX_KEY = 256;
const KEYS = new Set(['userName', 'externalId']);
const MAX_VALUES: Record<string, number> = { members: 50_000 };
const MOST_VALUES = 100;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.getPrototypeOf(value) === Object.prototype;

const textOf = (name: string, value: unknown): string | undefined => {
  if (typeof value !== 'string') throw invalidValue(`${name} must be text.`);
  const most = KEYS.has(name) ? MAX_KEY : MAX_TEXT;
  if (value.length > most) throw invalidValue(`${name} may have ${most} characters.`);
  if (!value.isWellFormed() || /\p{Cc}/u.test(value)) throw invalidValue(`${name} holds characters that are none.`);
  return value.trim() === '' ? undefined : value;
};

const flagOf = (name: string, value: unknown): boolean => {
  const flag = booleanOf(value);
  if (flag === undefined) throw invalidValue(`${name} must be true or false.`);
  return flag;
};

/** The fields of an object by the names of the attributes, whatever case they came in. What is no attribute is left out. */
const fieldsOf = (attributes: readonly Attribute[], value: Record<string, unknown>): Map<Attribute, unknown> => {
  const fields = new Map<Attribute, unknown>();
  for (const [key, field] of Object.entries(value)) {
    const attribute = attributeOf(attributes, key);
    if (!attribute) continue;
    if (fields.has(attribute)) throw invalidSyntax(`${attribute.name} is there twice.`);
    fields.set(attribute, field);
  }
  return fields;
};

const readOne = (attribute: Attribute, value: unknown): Json | undefined => {
  if (attribute.type === 'boolean') return flagOf(attribute.name, value);
  if (attribute.type !== 'complex') return textOf(attribute.name, value);
  if (!isObject(value)) throw invalidValue(`${attribute.name} must be an object.`);
  const kept = readFields(attribute.subAttributes ?? [], value);
  return Object.keys(kept).length === 0 ? undefined : kept;
};

const readMany = (attribute: Attribute, value: unknown): Json | undefined => {
  const most = MAX_VALUES[attribute.name] ?? MOST_VALUES;
  const items: unknown[] = Array.isArray(value) ? value : [value];
  if (items.length > most) throw invalidValue(`${attribute.name} may have ${most} values.`);
  // A plain text where an object belongs is its value (RFC 7643 section 2.4).
  const read = items.map((item) => readOne(attribute, typeof item === 'string' ? { value: item } : item));
  const kept = read.filter((item): item is JsonObject => isObject(item));
  for (const { value: content } of kept)
    if (content === undefined) throw invalidValue(`Every one of ${attribute.name} needs a value.`);
  if (kept.filter(({ primary }) => primary === true).length > 1)
    throw invalidValue(`Only one of ${attribute.name} can be the primary one.`);
  return kept.length === 0 ? undefined : kept;
};

/** One value for an attribute, as it is kept; undefined when it counts as not given. */
export const readValue = (attribute: Attribute, value: unknown): Json | undefined => {
  if (value === null || value === undefined) return undefined;
  return attribute.multiValued ? readMany(attribute, value) : readOne(attribute, value);
};

/** What may be written, of the right type; null and empty count as not given (RFC 7643 section 2.5). */
const readFields = (attributes: readonly Attribute[], value: Record<string, unknown>): JsonObject => {
  const read: JsonObject = {};
  for (const [attribute, field] of fieldsOf(attributes, value)) {
    if (attribute.mutability === 'readOnly') continue;
    const kept = readValue(attribute, field);
    if (kept !== undefined) read[attribute.name] = kept;
  }
  return read;
};

/** The resource that somebody sent, as far as it is kept, under the names that the schema gives. */
export const readResource = (schema: Schema, body: unknown): JsonObject => {
  if (!isObject(body)) throw invalidSyntax('The body must be a JSON object.');
  const own = body[schema.id];
  const resource = readFields([...COMMON, ...schema.attributes], isObject(own) ? { ...own, ...body } : body);
  for (const { name, required } of schema.attributes)
    if (required && resource[name] === undefined) throw invalidValue(`${name} is needed.`);
  return resource;
};

/** The schemas that a body says it holds must have this one among them. */
export const checkSchemas = (body: unknown, wanted: string): Record<string, unknown> => {
  if (!isObject(body)) throw invalidSyntax('The body must be a JSON object.');
  const { schemas } = body;
  const isNamed =
    Array.isArray(schemas) &&
    schemas.some((one: unknown) => typeof one === 'string' && one.toLowerCase() === wanted.toLowerCase());
  if (!isNamed) throw invalidSyntax(`The body must name ${quoted(wanted)} in "schemas".`);
  return body;
};
