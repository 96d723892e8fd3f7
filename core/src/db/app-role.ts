import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import { schema } from './db.ts';
import { APP_ROLE } from './wall.ts';

const ATTEMPTS = 10;
const DUPLICATE = new Set(['42710', '23505']);
const REFUSED = '42501';
/** Two databases of one cluster that change the same role at once: "tuple concurrently updated". */
const CONCURRENT = 'XX000';

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;

const one = async <T extends pg.QueryResultRow>(client: pg.Client, sql: string): Promise<T | undefined> =>
  (await client.query<T>(sql)).rows[0];

/** Other databases of the cluster may be doing the same at this moment. */
const retried = async (run: () => Promise<unknown>): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return void (await run());
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (DUPLICATE.has(code)) return;
      if (code !== CONCURRENT || attempt >= ATTEMPTS) throw error;
    }
  }
};

const tables = Object.values(schema).flatMap((table) => (is(table, PgTable) ? [getTableName(table)] : []));

/** Of columns that count by themselves. */
const SEQUENCES = `
  select s.relname as name from pg_class s
    join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype in ('a', 'i')
    join pg_class t on t.oid = d.refobjid
  where s.relkind = 'S' and t.relnamespace = 'public'::regnamespace and t.relname = any($1)`;

const grant = async (client: pg.Client, what: string, names: readonly string[]): Promise<void> => {
  const list = names.map((name) => `public.${client.escapeIdentifier(name)}`).join(', ');
  if (names.length > 0) await client.query(`grant ${what} ${list} to ${APP_ROLE}`);
};

type Role = { free: boolean; super: boolean };
const roleOf = (client: pg.Client, name: string) =>
  one<Role>(client, `select rolsuper or rolbypassrls as free, rolsuper as super from pg_roles where rolname = ${name}`);

/**
 * Makes the role that Peta works as where the one it signs in with is bound by no policy, and grants it Peta's own
 * tables. False when such a role is needed and may not be made: then the policies bind nobody.
 */
export const makeAppRole = async (client: pg.Client): Promise<boolean> => {
  const own = await roleOf(client, 'session_user');
  if (!own?.free) return true;
  try {
    if (!(await roleOf(client, `'${APP_ROLE}'`)))
      await retried(() => client.query(`create role ${APP_ROLE} nologin nosuperuser nobypassrls`));
    if ((await roleOf(client, `'${APP_ROLE}'`))?.free) return false;
    if (!own.super) await retried(() => client.query(`grant ${APP_ROLE} to session_user`));
    await client.query(`grant usage on schema public to ${APP_ROLE}`);
    await grant(client, 'select, insert, update, delete on', tables);
    const { rows } = await client.query<{ name: string }>(SEQUENCES, [tables]);
    await grant(
      client,
      'usage on sequence',
      rows.map(({ name }) => name),
    );
    return true;
  } catch (error) {
    if (codeOf(error) === REFUSED) return false;
    throw error;
  }
};
