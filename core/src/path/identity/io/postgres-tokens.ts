import { and, desc, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { acrossWorkspaces, type Database, schema } from '#db';
import { type Log, sentenceOf } from '#lib/log';
import type { TokenRow, TokenStore } from '../identity.ts';
import type { Person } from '../person.ts';

const { tokens, users, teams, roles } = schema;
const owners = alias(users, 'owner');

const ofPerson = {
  workspaceId: users.workspaceId,
  userId: users.id,
  kind: users.kind,
  role: users.role,
  roleId: users.roleId,
  roleOperations: roles.operations,
  status: users.status,
  userExpiresAt: users.expiresAt,
  permissions: users.permissions,
  preferences: users.preferences,
  ownerUserId: users.ownerUserId,
  owner: {
    role: owners.role,
    status: owners.status,
    expiresAt: owners.expiresAt,
    permissions: owners.permissions,
  },
  teamId: teams.id,
};
const ownerIs = and(eq(owners.workspaceId, users.workspaceId), eq(owners.id, users.ownerUserId));
const teamIs = and(eq(teams.workspaceId, users.workspaceId), eq(teams.id, users.ownerTeamId));
const roleIs = and(eq(roles.workspaceId, users.workspaceId), eq(roles.id, users.roleId));

/** People and agents as every kind of credential leads to them. */
export const postgresPeople = (db: Database) => ({
  async find(workspaceId: string, userId: string): Promise<Person | undefined> {
    const [row] = await db
      .select(ofPerson)
      .from(users)
      .leftJoin(owners, ownerIs)
      .leftJoin(teams, teamIs)
      .leftJoin(roles, roleIs)
      .where(and(eq(users.workspaceId, workspaceId), eq(users.id, userId)));
    return row;
  },
});

export const postgresTokens = (db: Database): TokenStore => {
  const find = async (where: SQL | undefined): Promise<TokenRow | undefined> => {
    const [row] = await db
      .select({
        ...ofPerson,
        tokenId: tokens.id,
        expiresAt: tokens.expiresAt,
        revokedAt: tokens.revokedAt,
        scope: tokens.scope,
      })
      .from(tokens)
      .innerJoin(users, and(eq(users.workspaceId, tokens.workspaceId), eq(users.id, tokens.userId)))
      .leftJoin(owners, ownerIs)
      .leftJoin(teams, teamIs)
      .leftJoin(roles, roleIs)
      .where(where)
      // Nobody gets in between by having the half of somebody's hash registered for themselves.
      .orderBy(desc(sql`length(${tokens.hash})`))
      .limit(1);
    return row;
  };
  return {
    /** Looks for the whole hash, or for its first half where only that was stored. */
    byBearer: (_bearer, hash) =>
      acrossWorkspaces(() => find(or(eq(tokens.hash, hash), eq(tokens.hash, hash.slice(0, 32))))),
    byId: (tokenId) => acrossWorkspaces(() => find(eq(tokens.id, tokenId))),
  };
};

/** Writes down when tokens were last used, at most once in `everyMs` each, in one statement for all. */
export const createLastUsed = (db: Database, { everyMs, log }: { everyMs: number; log: Log }) => {
  const pending = new Set<string>();

  const flush = async (): Promise<void> => {
    if (pending.size === 0) return;
    const ids = [...pending];
    pending.clear();
    try {
      await acrossWorkspaces(() => db.update(tokens).set({ lastUsedAt: new Date() }).where(inArray(tokens.id, ids)));
    } catch (error) {
      log.debug('The last use of tokens was not written down', { reason: sentenceOf(error) });
    }
  };
  const timer = setInterval(() => void flush(), everyMs);
  timer.unref();
  return {
    touched: (tokenId: string) => void pending.add(tokenId),
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
};
