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

type Test = (value: JsonObject) => boolean;

const isGiven = (have: Json | undefined): have is Json => have !== undefined && have !== null;

const comparing = ({ name, type, caseExact }: Attribute, operator: Operator, want: Literal): Test => {
  const isEqual = (test: Test): Test => (operator === 'eq' ? test : (value) => operator === 'ne' && !test(value));
  if (want === null) return isEqual((value) => !isGiven(value[name]));
  if (type === 'boolean') return isEqual((value) => booleanOf(value[name]) === booleanOf(want));
  const fold = (text: string) => (caseExact ? text : text.toLowerCase());
  const wanted = fold(String(want));
  return (value) => {
    const have = value[name];
    return isGiven(have) ? compareText(operator, fold(String(have)), wanted) : operator === 'ne';
  };
};

/** Does one value of this multi-valued attribute fulfil the filter? */
export const matching = (filter: Filter, attribute: Attribute): Test => {
  const sub = (path: string): Attribute => {
    const found = attributeOf(attribute.subAttributes ?? [], path);
    if (!found) throw invalidFilter(`${attribute.name} has no ${quoted(path)}.`);
    return found;
  };
  switch (filter.kind) {
    case 'all': {
      const tests = filter.of.map((one) => matching(one, attribute));
      return (value) => tests.every((test) => test(value));
    }
    case 'any': {
      const tests = filter.of.map((one) => matching(one, attribute));
      return (value) => tests.some((test) => test(value));
    }
    case 'not': {
      const test = matching(filter.of, attribute);
      return (value) => !test(value);
    }
    case 'present': {
      const { name } = sub(filter.path);
      return (value) => isGiven(value[name]);
    }
    case 'compare':
      return comparing(sub(filter.path), filter.operator, filter.value);
    case 'has':
      throw invalidFilter('Brackets cannot stand in brackets.');
  }
};
