import type { Session } from '@peta/api';
import { and, count, desc, eq, gt, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import { schema } from '#db';
import type { SessionStore } from '../sessions.ts';
import type { Queries } from './queries.ts';

const { sessions, streams, processes } = schema;
/** Streams of a process that has not said for so long that it lives are open no more. */
const GONE_SECONDS = 12;

/** Sessions of MCP clients as every replica keeps them, for those who look after them. */
export const postgresSessions = (db: Queries): SessionStore => {
  const select = async (where: SQL | undefined): Promise<Session[]> => {
    const open = db
      .select({ session: streams.session, number: count().as('number') })
      .from(streams)
      .innerJoin(processes, eq(processes.id, streams.processId))
      .where(and(isNull(streams.endedAt), gt(processes.seenAt, sql`now() - ${GONE_SECONDS} * interval '1 second'`)))
      .groupBy(streams.session)
      .as('open');
    const rows = await db
      .select({ session: sessions, openStreams: open.number })
      .from(sessions)
      .leftJoin(open, eq(open.session, sessions.hash))
      .where(where)
      .orderBy(desc(sessions.lastUsedAt), desc(sessions.createdAt));
    return rows.map(({ session, openStreams }) => ({
      sessionId: session.hash,
      userId: session.userId,
      kind: session.kind as Session['kind'],
      endpoint: session.endpoint,
      client: { name: session.client.name, version: session.client.version },
      protocolVersion: session.protocolVersion,
      openStreams: openStreams ?? 0,
      createdAt: session.createdAt.toISOString(),
      lastUsedAt: session.lastUsedAt.toISOString(),
    }));
  };
  const one = (workspaceId: string, sessionId: string) =>
    and(eq(sessions.workspaceId, workspaceId), eq(sessions.hash, sessionId));
  return {
    list: (workspaceId, userIds) =>
      select(and(eq(sessions.workspaceId, workspaceId), userIds ? inArray(sessions.userId, [...userIds]) : undefined)),
    find: async (workspaceId, sessionId) => (await select(one(workspaceId, sessionId)))[0],
    async remove(workspaceId, sessionId) {
      await db.delete(sessions).where(one(workspaceId, sessionId));
    },
  };
};
