import { and, asc, eq, inArray, ne, sql } from 'drizzle-orm';
import { type Database, schema } from '#db';
import { invalidValue, quoted, taken, tooMany } from '../errors.ts';
import type { Group, Member } from '../group.ts';
import type { GroupStore, Moved } from '../groups.ts';
import { schemas } from '../schema.ts';
import { groupColumns } from './columns.ts';
import { toCondition, toOrder } from './filter-sql.ts';
import { inTurn, type Transaction } from './writing.ts';

const { users, teams, teamMembers } = schema;

const COLUMNS = {
  id: teams.id,
  name: teams.name,
  externalId: teams.externalId,
  createdAt: teams.createdAt,
  updatedAt: teams.updatedAt,
};
const MAX_MEMBERS_AT_ONCE = 200_000;
const ROWS_AT_ONCE = 5_000;

type Row = Omit<Group, 'membersDigest'>;
type Reader = Pick<Database, 'select'>;

const chunks = (ids: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(ids.length / ROWS_AT_ONCE) }, (_, at) =>
    ids.slice(at * ROWS_AT_ONCE, (at + 1) * ROWS_AT_ONCE),
  );

type Options = { db: Database; remove: GroupStore['remove'] };

/** Teams and the people in them. `remove` takes a team out with all that is its own. */
export const postgresGroups = ({ db, remove }: Options): GroupStore => {
  const one = (workspaceId: string, id: string) => and(eq(teams.workspaceId, workspaceId), eq(teams.id, id));
  const ofTeams = (workspaceId: string, ids: readonly string[]) =>
    and(eq(teamMembers.workspaceId, workspaceId), inArray(teamMembers.teamId, [...ids]), eq(users.kind, 'person'));
  const onUser = and(eq(users.workspaceId, teamMembers.workspaceId), eq(users.id, teamMembers.userId));

  const withDigests = async (on: Reader, workspaceId: string, rows: Row[]): Promise<Group[]> => {
    const ids = rows.map(({ id }) => id);
    const digests = await on
      .select({
        teamId: teamMembers.teamId,
        digest: sql<string>`count(*) || ' ' || sum(hashtextextended(${teamMembers.userId}, 0)::numeric)`,
      })
      .from(teamMembers)
      .where(and(eq(teamMembers.workspaceId, workspaceId), inArray(teamMembers.teamId, ids)))
      .groupBy(teamMembers.teamId);
    const byId = new Map(digests.map(({ teamId, digest }) => [teamId, digest]));
    return rows.map((row) => ({ ...row, membersDigest: byId.get(row.id) ?? '' }));
  };

  const members = async (
    on: Reader,
    workspaceId: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Member[]>> => {
    if (ids.length === 0) return new Map();
    const rows = await on
      .select({ teamId: teamMembers.teamId, id: users.id, name: users.name })
      .from(teamMembers)
      .innerJoin(users, onUser)
      .where(ofTeams(workspaceId, ids))
      .orderBy(asc(users.id))
      .limit(MAX_MEMBERS_AT_ONCE + 1);
    if (rows.length > MAX_MEMBERS_AT_ONCE)
      throw tooMany('These groups have too many members to list at once: ask with excludedAttributes=members.');
    return Map.groupBy(rows, ({ teamId }) => teamId);
  };

  const checkFree = async (on: Transaction, workspaceId: string, id: string, name: string): Promise<void> => {
    const isOther = and(eq(teams.workspaceId, workspaceId), ne(teams.id, id));
    const [other] = await on
      .select({ id: teams.id })
      .from(teams)
      .where(and(isOther, sql`lower(${teams.name}) = lower(${name}::text)`))
      .limit(1);
    if (other) throw taken('Another group has this displayName.');
  };

  const add = async (on: Transaction, workspaceId: string, teamId: string, ids: readonly string[]): Promise<void> => {
    for (const some of chunks(ids)) {
      const found = await on
        .select({ id: users.id })
        .from(users)
        .where(and(eq(users.workspaceId, workspaceId), eq(users.kind, 'person'), inArray(users.id, some)));
      const known = new Set(found.map(({ id }) => id));
      const missing = some.find((id) => !known.has(id));
      if (missing !== undefined) throw invalidValue(`There is no user with the id ${quoted(missing)} to be a member.`);
      const rows = some.map((userId) => ({ workspaceId, teamId, userId }));
      await on.insert(teamMembers).values(rows).onConflictDoNothing();
    }
  };

  const take = async (on: Transaction, workspaceId: string, id: string, ids: readonly string[]): Promise<void> => {
    for (const some of chunks(ids))
      await on
        .delete(teamMembers)
        .where(
          and(eq(teamMembers.workspaceId, workspaceId), eq(teamMembers.teamId, id), inArray(teamMembers.userId, some)),
        );
  };

  const refreshed = async (on: Reader, workspaceId: string, row: Row | undefined): Promise<Group> => {
    const [group] = row ? await withDigests(on, workspaceId, [row]) : [];
    if (!group) throw new Error('The database lost a team.');
    return group;
  };

  return {
    async list(workspaceId, { filter, sortBy, isDescending, offset, count }) {
      const where = and(eq(teams.workspaceId, workspaceId), filter && toCondition(schemas.group, groupColumns, filter));
      const order = sortBy === undefined ? [] : [toOrder(groupColumns, sortBy, isDescending)];
      const [counted] = await db.select({ total: sql<number>`count(*)::int` }).from(teams).where(where);
      const total = counted?.total ?? 0;
      if (count === 0) return { groups: [], total };
      const rows = await db
        .select(COLUMNS)
        .from(teams)
        .where(where)
        .orderBy(...order, asc(teams.id))
        .limit(count)
        .offset(offset);
      return { groups: await withDigests(db, workspaceId, rows), total };
    },

    async find(workspaceId, id) {
      const rows = await db.select(COLUMNS).from(teams).where(one(workspaceId, id)).limit(1);
      return (await withDigests(db, workspaceId, rows))[0];
    },

    members: (workspaceId, ids) => members(db, workspaceId, ids),

    create: (workspaceId, id, { columns, memberIds }) =>
      inTurn(db, workspaceId, async (transaction) => {
        await checkFree(transaction, workspaceId, id, columns.name);
        const [row] = await transaction
          .insert(teams)
          .values({ workspaceId, id, ...columns })
          .returning(COLUMNS);
        await add(transaction, workspaceId, id, [...memberIds]);
        return refreshed(transaction, workspaceId, row);
      }),

    change: (workspaceId, id, decide) =>
      inTurn(db, workspaceId, async (transaction) => {
        const [row] = await transaction.select(COLUMNS).from(teams).where(one(workspaceId, id)).for('update');
        if (!row) return undefined;
        const before = await refreshed(transaction, workspaceId, row);
        const had = (await members(transaction, workspaceId, [id])).get(id) ?? [];
        const { columns, memberIds } = decide(before, had);
        await checkFree(transaction, workspaceId, id, columns.name);
        const hadIds = new Set(had.map((member) => member.id));
        const moved: Moved = {
          added: [...memberIds].filter((member) => !hadIds.has(member)),
          removed: [...hadIds].filter((member) => !memberIds.has(member)),
        };
        await add(transaction, workspaceId, id, moved.added);
        await take(transaction, workspaceId, id, moved.removed);
        const [changed] = await transaction
          .update(teams)
          .set({ ...columns, updatedAt: new Date() })
          .where(one(workspaceId, id))
          .returning(COLUMNS);
        return { before, after: await refreshed(transaction, workspaceId, changed), ...moved };
      }),

    remove,
  };
};
