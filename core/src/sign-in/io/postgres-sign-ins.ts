import { and, desc, eq, lte, ne, or, type SQL } from 'drizzle-orm';
import { type Database, schema } from '#db';
import { IDLE_MS, type SignInRecord, type SignInStore, type Which } from '../sign-ins.ts';

const { signIns, users } = schema;
const ENABLED = 1;
const PREFIX = 'signin_';

/** How a sign-in is called where credentials of every kind are told apart. */
export const tokenIdOf = (signInId: string): string => `${PREFIX}${signInId}`;

const toRecord = ({ id, hash: _, createdAt, ...row }: typeof signIns.$inferSelect): SignInRecord => ({
  signInId: id,
  at: createdAt,
  ...row,
});

const where = (which: Which): SQL | undefined => {
  if ('signInId' in which) return eq(signIns.id, which.signInId);
  if ('endedBy' in which) return or(lte(signIns.expiresAt, which.endedBy), lte(signIns.lastSeenAt, which.unseenSince));
  const { workspaceId, userId, except } = which;
  return and(
    eq(signIns.workspaceId, workspaceId),
    eq(signIns.userId, userId),
    except === undefined ? undefined : ne(signIns.id, except),
  );
};

const ofPerson = and(eq(users.workspaceId, signIns.workspaceId), eq(users.id, signIns.userId));

export const postgresSignIns = (db: Database): SignInStore => ({
  async add({ signInId, at, ...record }, hash) {
    await db.insert(signIns).values({ id: signInId, hash, createdAt: at, ...record });
  },
  async find(by, now) {
    const [row] = await db
      .select({ signIn: signIns, status: users.status, userExpiresAt: users.expiresAt })
      .from(signIns)
      .innerJoin(users, ofPerson)
      .where('hash' in by ? eq(signIns.hash, by.hash) : eq(signIns.id, by.signInId));
    if (!row) return undefined;
    const isWelcome = row.status === ENABLED && (row.userExpiresAt === null || row.userExpiresAt > now);
    return { ...toRecord(row.signIn), isWelcome };
  },
  async list(workspaceId, userId) {
    const rows = await db
      .select()
      .from(signIns)
      .where(and(eq(signIns.workspaceId, workspaceId), userId === undefined ? undefined : eq(signIns.userId, userId)))
      .orderBy(desc(signIns.createdAt));
    return rows.map(toRecord);
  },
  async seen(signInId, at) {
    await db.update(signIns).set({ lastSeenAt: at }).where(eq(signIns.id, signInId));
  },
  remove: (which) =>
    db.delete(signIns).where(where(which)).returning({ signInId: signIns.id, workspaceId: signIns.workspaceId }),
});

/** Sign-ins as credentials, by `signin_<id>`: nobody sends one as a bearer token. */
export const signInCredentials = <P>(
  db: Database,
  person: (workspaceId: string, userId: string) => Promise<P | undefined>,
) => ({
  prefix: PREFIX,
  byBearer: async (): Promise<undefined> => undefined,

  async byId(tokenId: string) {
    const [signIn] = await db
      .select()
      .from(signIns)
      .where(eq(signIns.id, tokenId.slice(PREFIX.length)));
    const who = signIn && (await person(signIn.workspaceId, signIn.userId));
    if (!who) return undefined;
    const idleEnd = new Date(signIn.lastSeenAt.getTime() + IDLE_MS);
    const expiresAt = idleEnd < signIn.expiresAt ? idleEnd : signIn.expiresAt;
    return { ...who, tokenId, expiresAt, revokedAt: null, scope: {} };
  },
});
