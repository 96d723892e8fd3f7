import type { JsonObject } from '#call';
import { invalidPath, invalidSyntax, invalidValue, noTarget, quoted, readOnly, ScimError, tooMany } from './errors.ts';
import { type Filter, type Path, parsePath } from './filter.ts';
import { matching } from './match.ts';
import { checkSchemas, isObject, readResource, readValue } from './read.ts';
import { type Attribute, attributeOf, COMMON, isIgnored, type Schema, withoutUrn } from './schema.ts';

type Kind = 'add' | 'replace' | 'remove';
/** Where an operation points. */
type Target = { attribute: Attribute; sub: Attribute | undefined; filter: Filter | undefined };

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const MAX_OPERATIONS = 1_000;
/** So many values may be looked at in one request, over all its operations. */
const MAX_STEPS = 4_000_000;

const isKind = (op: string): op is Kind => op === 'add' || op === 'replace' || op === 'remove';

/** Some directories put a single text into a list of one object. */
const unwrapped = ({ type }: Attribute, value: unknown): unknown => {
  if (type === 'complex' || !Array.isArray(value) || value.length !== 1) return value;
  const [only]: unknown[] = value;
  return isObject(only) ? only.value : only;
};

/** The values of an attribute; what was read holds objects alone. */
const listOf = (resource: JsonObject, { name }: Attribute): JsonObject[] => {
  const value = resource[name];
  return Array.isArray(value) ? (value as JsonObject[]) : [];
};

const wholeOf = (resource: JsonObject, { name }: Attribute): JsonObject => {
  const whole = resource[name];
  return isObject(whole) ? (whole as JsonObject) : {};
};

/** What makes two values of an attribute the same: their id where they have one, else all of them. */
const keyOf = (attribute: Attribute, item: JsonObject): string => {
  const isById = attributeOf(attribute.subAttributes ?? [], 'value')?.mutability === 'immutable';
  return JSON.stringify(isById ? item.value : Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
};

/** What a filter of plain equalities says of the value that it looks for. */
const equalitiesOf = (filter: Filter | undefined): JsonObject | undefined => {
  if (filter?.kind === 'compare') return filter.operator === 'eq' ? { [filter.path]: filter.value } : undefined;
  if (filter?.kind !== 'all') return undefined;
  const parts = filter.of.map(equalitiesOf);
  return parts.every((part) => part !== undefined) ? Object.assign({}, ...parts) : undefined;
};

const createPatch = (schema: Schema, resource: JsonObject) => {
  const attributes = [...COMMON, ...schema.attributes];
  let steps = 0;

  const set = (on: JsonObject, { name, required }: Attribute, value: JsonObject[string]): void => {
    const isGone = value === undefined || (Array.isArray(value) && value.length === 0);
    if (isGone && required) throw new ScimError(400, 'mutability', `${name} is needed and cannot be removed.`);
    if (isGone) delete on[name];
    else on[name] = value;
  };

  const targetOf = ({ path, filter, sub }: Path): Target => {
    const [name = '', inner, ...deeper] = withoutUrn(schema, path).split('.');
    const attribute = attributeOf(attributes, name);
    if (attribute?.mutability === 'readOnly') throw readOnly(attribute.name);
    const subName = sub ?? inner;
    const isTooDeep = deeper.length > 0 || (sub !== undefined && inner !== undefined);
    const found = subName === undefined ? undefined : attributeOf(attribute?.subAttributes ?? [], subName);
    if (!attribute || isTooDeep || (subName !== undefined && !found))
      throw invalidPath(`${schema.name} has no attribute ${quoted(path)}.`);
    if (found && found.mutability !== 'readWrite') throw readOnly(`${attribute.name}.${found.name}`);
    if (filter && !attribute.multiValued) throw invalidPath(`${attribute.name} has one value, so nothing selects one.`);
    return { attribute, sub: found, filter };
  };

  /** There is one primary value: a new one takes the place of the old (RFC 7644 section 3.5.2). */
  const keep = (attribute: Attribute, items: JsonObject[], touched: ReadonlySet<JsonObject>): void => {
    const hasNewPrimary = [...touched].some(({ primary }) => primary === true);
    const kept = items.map((item) =>
      hasNewPrimary && item.primary === true && !touched.has(item) ? { ...item, primary: false } : item,
    );
    set(resource, attribute, kept);
  };

  const addValues = (attribute: Attribute, value: unknown): void => {
    const read = readValue(attribute, value);
    const items = listOf(resource, attribute);
    steps += items.length;
    const known = new Set(items.map((item) => keyOf(attribute, item)));
    const added = listOf({ [attribute.name]: read }, attribute).filter((item) => {
      const key = keyOf(attribute, item);
      return !known.has(key) && known.add(key);
    });
    keep(attribute, [...items, ...added], new Set(added));
  };

  /** An address of a type that is not there yet is made: Entra ID expects it also of replace. */
  const make = (kind: 'add' | 'replace', { attribute, sub, filter }: Target, value: unknown): void => {
    const start = equalitiesOf(filter);
    const isMade = start && (kind === 'add' || (sub && Object.keys(start).join().toLowerCase() === 'type'));
    if (!isMade) throw noTarget(`No value of ${attribute.name} is one that the path selects.`);
    const made = sub ? { [sub.name]: unwrapped(sub, value) } : isObject(value) ? value : { value };
    addValues(attribute, { ...start, ...made });
  };

  const writeSelected = (kind: 'add' | 'replace', target: Target, value: unknown): void => {
    const { attribute, sub, filter } = target;
    const items = listOf(resource, attribute);
    steps += items.length;
    const chosen = filter ? items.filter(matching(filter, attribute)) : items;
    const written = (item: JsonObject): JsonObject => {
      if (sub) return { ...item, [sub.name]: readValue(sub, unwrapped(sub, value)) };
      const [read] = listOf({ [attribute.name]: readValue(attribute, value) }, attribute);
      return kind === 'add' ? { ...item, ...read } : { ...read };
    };
    const touched = new Map(chosen.map((item) => [item, written(item)]));
    const kept = items.map((item) => touched.get(item) ?? item);
    if (chosen.length === 0) make(kind, target, value);
    else keep(attribute, kept, new Set(touched.values()));
  };

  const writeMany = (kind: 'add' | 'replace', target: Target, value: unknown): void => {
    const { attribute, sub, filter } = target;
    if (filter || sub) writeSelected(kind, target, value);
    else if (kind === 'add') addValues(attribute, value);
    else set(resource, attribute, readValue(attribute, value));
  };

  const writePart = (attribute: Attribute, part: Attribute, value: unknown): void => {
    const on = { ...wholeOf(resource, attribute) };
    set(on, part, readValue(part, unwrapped(part, value)));
    set(resource, attribute, Object.keys(on).length === 0 ? undefined : on);
  };

  const write = (kind: 'add' | 'replace', target: Target, value: unknown): void => {
    const { attribute, sub } = target;
    if (value === null) remove(target, undefined);
    else if (attribute.multiValued) writeMany(kind, target, value);
    else if (sub) writePart(attribute, sub, value);
    else if (attribute.type !== 'complex') set(resource, attribute, readValue(attribute, unwrapped(attribute, value)));
    else if (!isObject(value)) throw invalidValue(`${attribute.name} must be an object.`);
    else for (const [key, part] of Object.entries(value)) writeAt(kind, { path: attribute.name, sub: key }, part);
  };

  const removeMany = ({ attribute, sub, filter }: Target, value: unknown): void => {
    const items = listOf(resource, attribute);
    steps += items.length;
    const isChosen = filter ? matching(filter, attribute) : () => true;
    const without = (item: JsonObject): JsonObject =>
      Object.fromEntries(Object.entries(item).filter(([key]) => key !== sub?.name));
    // Entra ID names the values to remove in the operation's value.
    const named = value === undefined || value === null ? undefined : readValue(attribute, value);
    const ids =
      named === undefined ? undefined : new Set(listOf({ [attribute.name]: named }, attribute).map((one) => one.value));
    const isLeft = (item: JsonObject) => !isChosen(item) || (ids !== undefined && !ids.has(item.value));
    const left = sub ? items.map((item) => (isChosen(item) ? without(item) : item)) : items.filter(isLeft);
    set(resource, attribute, left);
  };

  const remove = (target: Target, value: unknown): void => {
    const { attribute, sub } = target;
    if (attribute.multiValued) removeMany(target, value);
    else if (sub) writePart(attribute, sub, null);
    else set(resource, attribute, undefined);
  };

  const writeAt = (kind: 'add' | 'replace', path: Path, value: unknown): void => {
    write(kind, targetOf(path), value);
  };

  const removeAt = (path: Path, value: unknown): void => {
    remove(targetOf(path), value);
  };

  /** Every field is a path of its own; what says again what is set already is let pass, as Okta sends the id. */
  const writeAll = (kind: 'add' | 'replace', value: unknown): void => {
    if (!isObject(value)) throw invalidValue('An operation without a path needs an object as its value.');
    for (const [key, field] of Object.entries(value)) {
      const plain = key.toLowerCase();
      if (plain === 'schemas' || plain === 'meta' || (plain === 'id' && field === resource.id)) continue;
      if (plain === schema.id.toLowerCase()) writeAll(kind, field);
      else if (!isIgnored(schema, withoutUrn(schema, key))) writeAt(kind, parsePath(key), field);
    }
  };

  return (operation: unknown): void => {
    if (!isObject(operation)) throw invalidSyntax('Every operation must be an object.');
    const { op, path, value } = operation;
    const kind = typeof op === 'string' ? op.toLowerCase() : '';
    if (!isKind(kind)) throw invalidSyntax('"op" must be add, replace or remove.');
    if (path !== undefined && path !== null && typeof path !== 'string') throw invalidPath('"path" must be text.');
    if (steps > MAX_STEPS) throw tooMany('That is too much at once: send fewer operations in one request.');
    if (kind !== 'remove' && value === undefined) throw invalidValue(`${kind} needs a value.`);
    if (typeof path !== 'string' || path === '' || path.toLowerCase() === schema.id.toLowerCase()) {
      if (kind === 'remove') throw noTarget('remove needs a path.');
      writeAll(kind, value);
    } else if (!isIgnored(schema, withoutUrn(schema, path))) {
      if (kind === 'remove') removeAt(parsePath(path), value);
      else writeAt(kind, parsePath(path), value);
    }
  };
};

/** The resource after all operations (RFC 7644 section 3.5.2), or a refusal of all of them. */
export const applyPatch = (schema: Schema, before: JsonObject, body: unknown): JsonObject => {
  const fields = Object.entries(checkSchemas(body, PATCH_OP));
  const operations = fields.find(([key]) => key.toLowerCase() === 'operations')?.[1];
  if (!Array.isArray(operations) || operations.length === 0)
    throw invalidSyntax('"Operations" must be a list of some.');
  if (operations.length > MAX_OPERATIONS) throw tooMany(`One request may hold ${MAX_OPERATIONS} operations.`);
  const resource = structuredClone(before);
  const apply = createPatch(schema, resource);
  for (const operation of operations) apply(operation);
  return readResource(schema, resource);
};
