import type { Json, JsonObject } from '#call';
import { invalidFilter, quoted } from './errors.ts';
import type { Filter, Literal, Operator } from './filter.ts';
import { type Attribute, attributeOf } from './schema.ts';

/** A boolean, also as the word that some directories send. */
export const booleanOf = (value: unknown): boolean | undefined => {
  if (typeof value === 'boolean') return value;
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  return word === 'true' ? true : word === 'false' ? false : undefined;
};

const compareText = (operator: Operator, have: string, want: string): boolean => {
  switch (operator) {
    case 'eq':
      return have === want;
    case 'ne':
      return have !== want;
    case 'co':
      return have.includes(want);
    case 'sw':
      return have.startsWith(want);
    case 'ew':
      return have.endsWith(want);
    case 'gt':
      return have > want;
    case 'ge':
      return have >= want;
    case 'lt':
      return have < want;
    case 'le':
      return have <= want;
  }
};

const compare = (attribute: Attribute, operator: Operator, have: Json | undefined, want: Literal): boolean => {
  if (want === null || have === undefined || have === null) {
    const isSame = want === null && (have === undefined || have === null);
    return operator === 'eq' ? isSame : operator === 'ne' && !isSame;
  }
  if (attribute.type === 'boolean') {
    const isSame = booleanOf(have) === booleanOf(want);
    return operator === 'eq' ? isSame : operator === 'ne' && !isSame;
  }
  const fold = (text: string) => (attribute.caseExact ? text : text.toLowerCase());
  return compareText(operator, fold(String(have)), fold(String(want)));
};

/** Does one value of this multi-valued attribute fulfil the filter? */
export const matches = (filter: Filter, value: JsonObject, attribute: Attribute): boolean => {
  const sub = (path: string): Attribute => {
    const found = attributeOf(attribute.subAttributes ?? [], path);
    if (!found) throw invalidFilter(`${attribute.name} has no ${quoted(path)}.`);
    return found;
  };
  switch (filter.kind) {
    case 'all':
      return filter.of.every((one) => matches(one, value, attribute));
    case 'any':
      return filter.of.some((one) => matches(one, value, attribute));
    case 'not':
      return !matches(filter.of, value, attribute);
    case 'present': {
      const have = value[sub(filter.path).name];
      return have !== undefined && have !== null;
    }
    case 'compare': {
      const one = sub(filter.path);
      return compare(one, filter.operator, value[one.name], filter.value);
    }
    case 'has':
      throw invalidFilter('Brackets cannot stand in brackets.');
  }
};
