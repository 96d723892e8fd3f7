import { Mapping, OidcSettings, SamlSettings } from '@peta/api';
import { and, asc, eq, inArray } from 'drizzle-orm';
import { z } from 'zod';
import { type Database, schema } from '#db';
import type { ProviderStore, StoredProvider } from '../identity-providers.ts';

const { identityProviders, externalIdentities, teams, roles } = schema;

/** What the column `settings` holds: what is the kind's, and who is let in. */
const Kept = z.object({ settings: z.union([OidcSettings, SamlSettings]), mapping: Mapping });

const toProvider = (row: typeof identityProviders.$inferSelect): StoredProvider => ({
  providerId: row.id,
  name: row.name,
  kind: row.kind,
  enabled: row.enabled,
  ...Kept.parse(row.settings),
  hasSecret: row.sealedSecret !== null,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

const without = (names: string[], known: { id: string }[]): string[] =>
  names.filter((name) => !known.some(({ id }) => id === name));

export const postgresIdentityProviders = (db: Database): ProviderStore => {
  const one = (workspaceId: string, providerId: string) =>
    and(eq(identityProviders.workspaceId, workspaceId), eq(identityProviders.id, providerId));
  return {
    async list(workspaceId) {
      const rows = await db
        .select()
        .from(identityProviders)
        .where(eq(identityProviders.workspaceId, workspaceId))
        .orderBy(asc(identityProviders.id));
      return rows.map(toProvider);
    },
    async find(workspaceId, providerId) {
      const [row] = await db.select().from(identityProviders).where(one(workspaceId, providerId));
      return row && toProvider(row);
    },
    async create(workspaceId, { providerId, settings, mapping, ...rest }) {
      const [row] = await db
        .insert(identityProviders)
        .values({ ...rest, workspaceId, id: providerId, settings: { settings, mapping } })
        .onConflictDoNothing()
        .returning();
      return row && toProvider(row);
    },
    update: (workspaceId, providerId, { settings, mapping, forgetPeople, ...rest }) =>
      db.transaction(async (tx) => {
        const [row] = await tx.select().from(identityProviders).where(one(workspaceId, providerId)).for('update');
        if (!row) return undefined;
        const before = Kept.parse(row.settings);
        const after = { settings: settings ?? before.settings, mapping: mapping ?? before.mapping };
        const [changed] = await tx
          .update(identityProviders)
          .set({ ...rest, settings: after, updatedAt: new Date() })
          .where(one(workspaceId, providerId))
          .returning();
        if (forgetPeople)
          await tx
            .delete(externalIdentities)
            .where(and(eq(externalIdentities.workspaceId, workspaceId), eq(externalIdentities.providerId, providerId)));
        return changed && toProvider(changed);
      }),
    async remove(workspaceId, providerId) {
      const removed = await db.delete(identityProviders).where(one(workspaceId, providerId)).returning();
      return removed.length > 0;
    },
    async missing(workspaceId, named) {
      const knownTeams = await db
        .select({ id: teams.id })
        .from(teams)
        .where(and(eq(teams.workspaceId, workspaceId), inArray(teams.id, named.teams)));
      const knownRoles = await db
        .select({ id: roles.id })
        .from(roles)
        .where(and(eq(roles.workspaceId, workspaceId), inArray(roles.id, named.roles)));
      return { teams: without(named.teams, knownTeams), roles: without(named.roles, knownRoles) };
    },
  };
};
