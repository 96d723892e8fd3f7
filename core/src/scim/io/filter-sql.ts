import { type SQL, sql } from 'drizzle-orm';
import { invalidFilter, invalidPath, quoted } from '../errors.ts';
import type { Filter, Literal, Operator } from '../filter.ts';
import { booleanOf } from '../match.ts';
import { type Schema, withoutUrn } from '../schema.ts';

type Single = {
  kind: 'text' | 'exact' | 'boolean' | 'time';
  at: SQL;
  /** The same in lower case, where it is kept. */
  lower?: SQL;
};
/** Where an attribute is found; one of several values in rows of its own, which `value` stands for when none is named. */
type Many = { kind: 'many'; rows: SQL; columns: { [name: string]: Single } & { value: Single } };
export type Column = Single | Many;
/** By path, in lower case. */
export type Columns = ReadonlyMap<string, Column>;

type Comparison = { operator: Operator; value: Literal };

const refuse = (path: string, message: string) => invalidFilter(`${quoted(path)} ${message}`);

const TEXT: Record<Operator, (have: SQL, want: SQL) => SQL> = {
  eq: (have, want) => sql`${have} = ${want}`,
  ne: (have, want) => sql`${have} is distinct from ${want}`,
  co: (have, want) => sql`strpos(${have}, ${want}) > 0`,
  sw: (have, want) => sql`starts_with(${have}, ${want})`,
  ew: (have, want) => sql`right(${have}, length(${want})) = ${want}`,
  gt: (have, want) => sql`${have} > ${want}`,
  ge: (have, want) => sql`${have} >= ${want}`,
  lt: (have, want) => sql`${have} < ${want}`,
  le: (have, want) => sql`${have} <= ${want}`,
};

const compareOne = (
  path: string,
  { kind, at, lower = sql`lower(${at})` }: Single,
  { operator, value }: Comparison,
): SQL => {
  if (value === null) {
    if (operator === 'eq') return sql`${at} is null`;
    if (operator === 'ne') return sql`${at} is not null`;
    throw refuse(path, 'can be compared with null by eq and ne alone.');
  }
  if (kind === 'boolean') {
    const flag = booleanOf(value);
    if (flag === undefined || (operator !== 'eq' && operator !== 'ne'))
      throw refuse(path, 'is true or false: compare it by eq or ne with one of these.');
    return TEXT[operator](at, sql`${flag}::boolean`);
  }
  if (typeof value !== 'string') throw refuse(path, 'is text: put what it is compared with in quotes.');
  if (kind === 'time') {
    const time = new Date(value);
    if (!/^\d{4}-\d\d-\d\d/.test(value) || Number.isNaN(time.getTime()))
      throw refuse(path, 'is a time: compare it with one such as "2026-01-31T00:00:00Z".');
    if (operator === 'co' || operator === 'sw' || operator === 'ew')
      throw refuse(path, `is a time, which has no ${operator}.`);
    // What was told of a time ends at the millisecond.
    return TEXT[operator](sql`date_trunc('milliseconds', ${at})`, sql`${time.toISOString()}::timestamptz`);
  }
  const [have, want] = kind === 'exact' ? [at, sql`${value}::text`] : [lower, sql`lower(${value}::text)`];
  // Which comes first hangs on no language; what is equal is found by an index.
  return TEXT[operator](operator === 'eq' || operator === 'ne' ? have : sql`${have} collate "C"`, want);
};

const anyOf = (rows: SQL, condition: SQL): SQL => sql`exists (select 1 from ${rows} and ${condition})`;

/** One comparison, wherever the attribute is found. */
const compare = (path: string, column: Column, comparison: Comparison): SQL => {
  if (column.kind !== 'many') return compareOne(path, column, comparison);
  const { operator, value } = comparison;
  // That something is not among several is said of all of them.
  if (operator === 'ne') return sql`not ${compare(path, column, { operator: 'eq', value })}`;
  if (value === null) return sql`not ${anyOf(column.rows, sql`true`)}`;
  return anyOf(column.rows, compareOne(path, column.columns.value, comparison));
};

const isPresent = (column: Column): SQL =>
  column.kind === 'many' ? anyOf(column.rows, sql`true`) : sql`${column.at} is not null`;

const partOf = ({ columns }: Many, name: string): Single | undefined =>
  Object.hasOwn(columns, name) ? columns[name] : undefined;

/** The attribute at a path; a part of several values, such as `emails.type`, has several itself. */
const columnAt = (schema: Schema, columns: Columns, path: string): Column => {
  const lower = withoutUrn(schema, path).toLowerCase();
  const [whole = '', part = '', ...deeper] = lower.split('.');
  const column = columns.get(lower);
  if (column) return column;
  const many = columns.get(whole);
  const single = many?.kind === 'many' && deeper.length === 0 ? partOf(many, part) : undefined;
  if (many?.kind !== 'many' || !single) throw refuse(path, 'is no attribute that can be searched by.');
  return { kind: 'many', rows: sql`${many.rows} and ${single.at} is not null`, columns: { value: single } };
};

/** The filter as a condition of SQL. Everything that came with it is a parameter. */
export const toCondition = (schema: Schema, columns: Columns, filter: Filter): SQL => {
  const toSql = (one: Filter, among: (path: string) => Column): SQL => {
    switch (one.kind) {
      case 'all':
        return sql`(${sql.join(
          one.of.map((part) => toSql(part, among)),
          sql` and `,
        )})`;
      case 'any':
        return sql`(${sql.join(
          one.of.map((part) => toSql(part, among)),
          sql` or `,
        )})`;
      case 'not':
        return sql`((${toSql(one.of, among)}) is not true)`;
      case 'present':
        return isPresent(among(one.path));
      case 'compare':
        return compare(one.path, among(one.path), one);
      case 'has': {
        const column = among(one.path);
        if (column.kind !== 'many') throw refuse(one.path, 'has one value, so nothing stands in brackets behind it.');
        const inner = (path: string): Column => {
          const part = partOf(column, path.toLowerCase());
          if (!part) throw refuse(one.path, `has no ${quoted(path)} to search by.`);
          return part;
        };
        return anyOf(column.rows, toSql(one.of, inner));
      }
    }
  };
  return toSql(filter, (path) => columnAt(schema, columns, path));
};

/** The order somebody asked for. What has no value comes last, or first the other way round. */
export const toOrder = (columns: Columns, sortBy: string, isDescending: boolean): SQL => {
  const column = columns.get(sortBy.toLowerCase());
  if (!column || column.kind === 'many') throw invalidPath(`Nothing can be sorted by ${quoted(sortBy)}.`);
  const key = column.kind === 'text' ? sql`${column.lower ?? sql`lower(${column.at})`} collate "C"` : column.at;
  return isDescending ? sql`${key} desc` : sql`${key} asc`;
};
