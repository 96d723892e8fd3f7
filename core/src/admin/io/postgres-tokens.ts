import { randomUUID } from 'node:crypto';
import type { Token } from '@peta/api';
import { and, desc, eq, sql } from 'drizzle-orm';
import { schema } from '#db';
import type { TokenStore } from '../tokens.ts';
import type { Queries } from './queries.ts';

const { tokens } = schema;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const toToken = (row: typeof tokens.$inferSelect): Token => ({
  tokenId: row.id,
  userId: row.userId,
  name: row.name,
  mask: row.mask,
  scope: row.scope,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt?.toISOString() ?? null,
  lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  revokedAt: row.revokedAt?.toISOString() ?? null,
});

export const postgresTokens = (db: Queries): TokenStore => {
  const one = (workspaceId: string, tokenId: string) =>
    and(eq(tokens.workspaceId, workspaceId), eq(tokens.id, tokenId));
  return {
    async list(workspaceId, userId) {
      const rows = await db
        .select()
        .from(tokens)
        .where(and(eq(tokens.workspaceId, workspaceId), userId === undefined ? undefined : eq(tokens.userId, userId)))
        .orderBy(desc(tokens.createdAt), desc(tokens.id));
      return rows.map(toToken);
    },
    async find(workspaceId, tokenId) {
      // Credentials of other kinds have ids of other shapes.
      if (!UUID.test(tokenId)) return undefined;
      const [row] = await db.select().from(tokens).where(one(workspaceId, tokenId));
      return row && toToken(row);
    },
    async create(workspaceId, { expiresAt, ...token }) {
      const [row] = await db
        .insert(tokens)
        .values({ id: randomUUID(), workspaceId, ...token, expiresAt: expiresAt === null ? null : new Date(expiresAt) })
        .returning();
      if (!row) throw new Error('PostgreSQL inserted a token and returned none.');
      return toToken(row);
    },
    async endAt(workspaceId, tokenId, at) {
      await db
        .update(tokens)
        .set({ expiresAt: sql`least(${tokens.expiresAt}, ${at.toISOString()}::timestamptz)` })
        .where(one(workspaceId, tokenId));
    },
    async revoke(workspaceId, tokenId) {
      await db
        .update(tokens)
        .set({ revokedAt: sql`coalesce(${tokens.revokedAt}, now())` })
        .where(one(workspaceId, tokenId));
    },
  };
};
