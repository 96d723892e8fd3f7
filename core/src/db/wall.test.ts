import { randomBytes, randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { silentLog } from '#lib/log';
import { acrossWorkspaces, type Database, inWorkspace, schema } from './db.ts';
import { migrateDatabase } from './migrate.ts';
import { connectPool } from './open.ts';

type Column = { name: string; type: string; isNeeded: boolean };
/** A table whose rows belong to a workspace, and the column that says to which. */
type Table = { name: string; owner: string; columns: Column[] };
type Place = { db: Database; url: string; asOwner: pg.Client; tables: Table[]; drop(): Promise<void> };

const asAdmin = async (url = inject('postgresUrl')) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
};
const at = (url: string, changes: Partial<URL>) => Object.assign(new URL(url), changes).href;

/** What the catalogue says, whatever the schema in the code may have forgotten. */
const readTables = async (client: pg.Client): Promise<Table[]> => {
  const { rows } = await client.query<{ table_name: string; column_name: string; data_type: string; needed: boolean }>(
    `select table_name, column_name, data_type, is_nullable = 'NO' and column_default is null as needed
     from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position`,
  );
  const names = [...new Set(rows.map((row) => row.table_name))];
  return names.flatMap((name) => {
    const columns = rows
      .filter((row) => row.table_name === name)
      .map((row) => ({ name: row.column_name, type: row.data_type, isNeeded: row.needed }));
    const owner = name === 'workspace' ? 'id' : 'workspace_id';
    return columns.some((column) => column.name === owner) && (name === 'workspace' || owner === 'workspace_id')
      ? [{ name, owner, columns }]
      : [];
  });
};

const sampleOf = (type: string): unknown => {
  if (type === 'uuid') return randomUUID();
  if (type === 'jsonb') return '{}';
  if (type.startsWith('timestamp')) return new Date();
  if (type === 'text') return randomBytes(6).toString('hex');
  return type === 'boolean' ? true : 1;
};

/** A row that belongs to a workspace, in a table of any shape. */
const insertion = ({ name, owner, columns }: Table, workspace: string): { text: string; values: unknown[] } => {
  const filled = columns.filter((column) => column.isNeeded || column.name === owner);
  return {
    text: `insert into "${name}" (${filled.map((column) => `"${column.name}"`).join(', ')})
      values (${filled.map((_, index) => `$${index + 1}`).join(', ')})`,
    values: filled.map((column) => (column.name === owner ? workspace : sampleOf(column.type))),
  };
};

const createPlace = async (user?: string): Promise<Place> => {
  const admin = await asAdmin();
  const name = `wall_${randomBytes(6).toString('hex')}`;
  const role = user && `${user}_${name}`;
  if (role) await admin.query(`create role ${role} login password 'secret'`);
  await admin.query(`create database ${name}${role ? ` owner ${role}` : ''}`);
  const owned = at(inject('postgresUrl'), { pathname: `/${name}` });
  const url = role ? at(owned, { username: role, password: 'secret' }) : owned;
  expect(await migrateDatabase(url)).toEqual({ isWalled: true });
  const asOwner = await asAdmin(owned);
  const tables = await readTables(asOwner);
  // References are not what this is about.
  await asOwner.query("set session_replication_role = 'replica'");
  for (const table of tables) for (const workspace of ['a', 'b']) await asOwner.query(insertion(table, workspace));
  const db = connectPool(url, silentLog);
  return {
    db,
    url,
    asOwner,
    tables,
    async drop() {
      await Promise.all([db.$client.end(), asOwner.end()]);
      await admin.query(`drop database ${name} with (force)`);
      if (role) await admin.query(`drop role ${role}`);
      await admin.end();
    },
  };
};

describe.each([
  ['a superuser', undefined],
  ['an ordinary user who owns the database', 'plain'],
])('with %s in DATABASE_URL', (_what, user) => {
  let place: Place;
  beforeAll(async () => {
    place = await createPlace(user);
  });
  afterAll(() => place.drop());

  const count = async (text: string): Promise<number | null> => (await place.db.$client.query(text)).rowCount;
  const refusal = (run: () => Promise<unknown>): Promise<string> =>
    run().then(
      () => 'was not refused',
      (error: Error) => error.message,
    );

  test('no table with a workspace shows, changes or takes a row of another workspace', async () => {
    expect(place.tables.length).toBeGreaterThan(20);
    for (const table of place.tables) {
      const { name, owner } = table;
      const ofB = `where "${owner}" = 'b'`;
      await inWorkspace('a', async () => {
        expect(await count(`select 1 from "${name}"`), name).toBe(1);
        expect(await count(`select 1 from "${name}" ${ofB}`), name).toBe(0);
        expect(await count(`update "${name}" set "${owner}" = "${owner}" ${ofB}`), name).toBe(0);
        expect(await count(`delete from "${name}" ${ofB}`), name).toBe(0);
        const wall = `row-level security policy for table "${name}"`;
        const { text, values } = insertion(table, 'b');
        expect(await refusal(() => place.db.$client.query(text, values))).toContain(wall);
        expect(await refusal(() => count(`update "${name}" set "${owner}" = 'b'`))).toContain(wall);
      });
      expect((await place.asOwner.query(`select 1 from "${name}" ${ofB}`)).rowCount, name).toBe(1);
    }
  });

  test('without a workspace, and across them, everything is there; a workspace within that is alone again', async () => {
    const all = 'select 1 from "user"';
    expect(await count(all)).toBe(2);
    await inWorkspace('a', async () => {
      expect(await count(all)).toBe(1);
      expect(await acrossWorkspaces(() => count(all))).toBe(2);
      const inB = await inWorkspace('b', () => place.db.select().from(schema.users));
      expect(inB.map(({ workspaceId }) => workspaceId)).toEqual(['b']);
      expect(await count(all)).toBe(1);
    });
    expect(await count(all)).toBe(2);
  });

  test('a connection that served one workspace serves the next as its own', async () => {
    const alone = connectPool(place.url, silentLog);
    alone.$client.options.max = 1;
    for (const workspace of ['a', 'b', 'a'])
      expect(
        await inWorkspace(workspace, async () => [
          ...(await alone.select({ id: schema.users.workspaceId }).from(schema.users)),
          ...(await alone.transaction((tx) => tx.select({ id: schema.users.workspaceId }).from(schema.users))),
        ]),
      ).toEqual([{ id: workspace }, { id: workspace }]);
    await alone.$client.end();
  });

  test('many workspaces at once each see their own, also where connections are few', async () => {
    const few = connectPool(place.url, silentLog);
    few.$client.options.max = 3;
    const asked = Array.from({ length: 120 }, (_, index) => (index % 2 ? 'a' : 'b'));
    const seen = await Promise.all(
      asked.map((workspace) =>
        inWorkspace(workspace, async () => {
          const rows = await few.select({ id: schema.tokens.workspaceId }).from(schema.tokens);
          await new Promise((done) => setTimeout(done, Math.random() * 5));
          const again = await few
            .select({ id: schema.tokens.workspaceId })
            .from(schema.tokens)
            .where(eq(schema.tokens.name, schema.tokens.name));
          return [...rows, ...again].map(({ id }) => id);
        }),
      ),
    );
    expect(seen).toEqual(asked.map((workspace) => [workspace, workspace]));
    await few.$client.end();
  });

  test('a connection that was told nothing sees nothing', async () => {
    const client = await asAdmin(place.url);
    if (!user) await client.query('set role peta_app');
    expect((await client.query('select 1 from "user"')).rowCount).toBe(0);
    await client.end();
  });
});

test('a workspace has a name that no policy takes for all', () => {
  expect(() => inWorkspace('*', () => 1)).toThrow('Say which workspace it is.');
  expect(() => inWorkspace('', () => 1)).toThrow('Say which workspace it is.');
});

test('a user whom no policy binds, and who may not make a role that one binds, is told of', async () => {
  const admin = await asAdmin();
  const name = `unwalled_${randomBytes(6).toString('hex')}`;
  await admin.query(`create role ${name} login bypassrls password 'secret'`);
  await admin.query(`create database ${name} owner ${name}`);
  const url = at(inject('postgresUrl'), { pathname: `/${name}`, username: name, password: 'secret' });
  expect(await migrateDatabase(url)).toEqual({ isWalled: false });
  await admin.query(`drop database ${name} with (force)`);
  await admin.query(`drop role ${name}`);
  await admin.end();
});
