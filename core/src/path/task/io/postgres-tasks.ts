import { and, desc, eq, gt, isNull, lt, lte, or, sql } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { Owner, TaskStore } from '../record.ts';

const { tasks } = schema;

const { ownerKind, createdAt, ...rest } = tasks;
const columns = {
  workspaceId: rest.workspaceId,
  kind: ownerKind,
  userId: rest.userId,
  endpoint: rest.endpoint,
  id: rest.id,
  serverId: rest.serverId,
  tool: rest.tool,
  ownId: rest.ownId,
  state: rest.state,
  sealedEnding: rest.sealedEnding,
  createdAt,
  expiresAt: rest.expiresAt,
};

const isOf = ({ workspaceId, kind, userId, endpoint }: Owner, now: Date) =>
  and(
    eq(tasks.workspaceId, workspaceId),
    eq(tasks.ownerKind, kind),
    userId === null ? isNull(tasks.userId) : eq(tasks.userId, userId),
    eq(tasks.endpoint, endpoint),
    gt(tasks.expiresAt, now),
  );

/** The table of tasks. Times are the caller's, so that one clock decides. */
export const postgresTasks = (db: Database): TaskStore => ({
  async add({ kind, ...record }) {
    await db.insert(tasks).values({ ...record, ownerKind: kind });
  },

  async find(owner, id, now) {
    const [row] = await db
      .select(columns)
      .from(tasks)
      .where(and(eq(tasks.id, id), isOf(owner, now)));
    return row;
  },

  page: (owner, after, limit, now) =>
    db
      .select(columns)
      .from(tasks)
      .where(
        and(
          isOf(owner, now),
          after &&
            or(lt(tasks.createdAt, after.createdAt), and(eq(tasks.createdAt, after.createdAt), lt(tasks.id, after.id))),
        ),
      )
      .orderBy(desc(tasks.createdAt), desc(tasks.id))
      .limit(limit),

  async count(owner, now) {
    const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(tasks).where(isOf(owner, now));
    return row?.count ?? 0;
  },

  async update(workspaceId, id, change) {
    await db
      .update(tasks)
      .set(change)
      .where(and(eq(tasks.id, id), eq(tasks.workspaceId, workspaceId)));
  },

  async sweep(now) {
    const gone = await db.delete(tasks).where(lte(tasks.expiresAt, now)).returning({ id: tasks.id });
    return gone.length;
  },
});
