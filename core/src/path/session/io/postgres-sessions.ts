import { eq, inArray, lt, sql } from 'drizzle-orm';
import { acrossWorkspaces, type Database, inWorkspace, schema } from '#db';
import type { KeptSession, SessionStore } from '../sessions.ts';

const { sessions } = schema;

const toSession = (row: typeof sessions.$inferSelect): KeptSession => ({
  workspaceId: row.workspaceId,
  kind: row.kind as KeptSession['kind'],
  userId: row.userId,
  endpoint: row.endpoint,
  client: row.client,
  protocolVersion: row.protocolVersion,
  logLevel: (row.logLevel ?? undefined) as KeptSession['logLevel'],
  subscriptions: row.subscriptions,
});

/** Sessions of every process, in PostgreSQL. */
export const postgresSessions = (db: Database): SessionStore => ({
  async insert(hash, session) {
    await inWorkspace(session.workspaceId, () => db.insert(sessions).values({ ...session, hash }));
  },
  async find(hash) {
    // Whose it is says the row; whoever asks is compared with that.
    const [row] = await acrossWorkspaces(() => db.select().from(sessions).where(eq(sessions.hash, hash)));
    return row && toSession(row);
  },
  async save(hash, { logLevel = null, subscriptions }) {
    await db.update(sessions).set({ logLevel, subscriptions }).where(eq(sessions.hash, hash));
  },
  async used(hashes) {
    if (hashes.length > 0)
      await db
        .update(sessions)
        .set({ lastUsedAt: sql`now()` })
        .where(inArray(sessions.hash, [...hashes]));
  },
  async remove(hash) {
    await db.delete(sessions).where(eq(sessions.hash, hash));
  },
  async sweep(idleMs) {
    await db.delete(sessions).where(lt(sessions.lastUsedAt, sql`now() - ${idleMs} * interval '1 millisecond'`));
  },
});
