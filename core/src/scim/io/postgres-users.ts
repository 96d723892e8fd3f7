import { and, asc, eq, inArray, ne, sql } from 'drizzle-orm';
import { type Database, schema } from '#db';
import { taken } from '../errors.ts';
import { schemas } from '../schema.ts';
import type { GroupOf, Person, PersonColumns } from '../user.ts';
import type { UserStore } from '../users.ts';
import { userColumns } from './columns.ts';
import { toCondition, toOrder } from './filter-sql.ts';
import { inTurn, type Transaction } from './writing.ts';

const { users, teams, teamMembers, signIns } = schema;

const COLUMNS = {
  id: users.id,
  name: users.name,
  email: users.email,
  externalId: users.externalId,
  role: users.role,
  roleId: users.roleId,
  status: users.status,
  directory: users.directory,
  createdAt: users.createdAt,
  updatedAt: users.updatedAt,
};
const ENABLED = 1;
const ROLE_USER = 3;

type Options = { db: Database; remove: UserStore['remove'] };

/** People alone: agents are no directory's. `remove` takes somebody out with all that is theirs. */
export const postgresUsers = ({ db, remove }: Options): UserStore => {
  const ofWorkspace = (workspaceId: string) => and(eq(users.workspaceId, workspaceId), eq(users.kind, 'person'));
  const one = (workspaceId: string, id: string) => and(ofWorkspace(workspaceId), eq(users.id, id));

  const groups = async (
    on: Database | Transaction,
    workspaceId: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, GroupOf[]>> => {
    if (ids.length === 0) return new Map();
    const rows = await on
      .select({ userId: teamMembers.userId, id: teams.id, name: teams.name })
      .from(teamMembers)
      .innerJoin(teams, and(eq(teams.workspaceId, teamMembers.workspaceId), eq(teams.id, teamMembers.teamId)))
      .where(and(eq(teamMembers.workspaceId, workspaceId), inArray(teamMembers.userId, [...ids])))
      .orderBy(asc(teams.id));
    return Map.groupBy(rows, ({ userId }) => userId);
  };

  /** User names are the same whatever their case, and nobody takes the id or address of another as theirs. */
  const checkFree = async (on: Transaction, workspaceId: string, id: string, columns: PersonColumns): Promise<void> => {
    const wanted = String(columns.directory.userName);
    const [other] = await on
      .select({ id: users.id })
      .from(users)
      .where(and(eq(users.workspaceId, workspaceId), ne(users.id, id), sql`${users.userName} = lower(${wanted}::text)`))
      .limit(1);
    if (other) throw taken('Somebody else has this userName.');
  };

  return {
    async list(workspaceId, { filter, sortBy, isDescending, offset, count }) {
      const where = and(ofWorkspace(workspaceId), filter && toCondition(schemas.user, userColumns, filter));
      const order = sortBy === undefined ? [] : [toOrder(userColumns, sortBy, isDescending)];
      const [counted] = await db.select({ total: sql<number>`count(*)::int` }).from(users).where(where);
      const people: Person[] =
        count === 0
          ? []
          : await db
              .select(COLUMNS)
              .from(users)
              .where(where)
              .orderBy(...order, asc(users.id))
              .limit(count)
              .offset(offset);
      return { people, total: counted?.total ?? 0 };
    },

    async find(workspaceId, id) {
      const [person] = await db.select(COLUMNS).from(users).where(one(workspaceId, id)).limit(1);
      return person;
    },

    groups: (workspaceId, ids) => groups(db, workspaceId, ids),

    create: (workspaceId, id, columns) =>
      inTurn(db, workspaceId, async (transaction) => {
        await checkFree(transaction, workspaceId, id, columns);
        const values = { workspaceId, id, role: ROLE_USER, ...columns };
        const [person] = await transaction.insert(users).values(values).returning(COLUMNS);
        if (!person) throw new Error('The database made nobody.');
        return person;
      }),

    change: (workspaceId, id, decide) =>
      inTurn(db, workspaceId, async (transaction) => {
        const [before] = await transaction.select(COLUMNS).from(users).where(one(workspaceId, id)).for('update');
        if (!before) return undefined;
        const columns = decide(before, (await groups(transaction, workspaceId, [id])).get(id) ?? []);
        await checkFree(transaction, workspaceId, id, columns);
        const [after] = await transaction
          .update(users)
          .set({ ...columns, updatedAt: new Date() })
          .where(one(workspaceId, id))
          .returning(COLUMNS);
        // Whoever comes back later signs in anew.
        if (columns.status !== ENABLED)
          await transaction.delete(signIns).where(and(eq(signIns.workspaceId, workspaceId), eq(signIns.userId, id)));
        return after && { before, after };
      }),

    remove,
  };
};
