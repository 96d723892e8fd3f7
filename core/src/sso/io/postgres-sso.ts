import { Mapping, OidcSettings, SamlSettings } from '@peta/api';
import { and, asc, eq, gt, inArray, lt } from 'drizzle-orm';
import { z } from 'zod';
import { type Database, schema } from '#db';
import type { Followed, PeopleStore, Person, Wanted } from '../admit.ts';
import type { Provider, ProviderStore } from '../provider.ts';
import type { Sealer, StepStore } from '../steps.ts';

const { identityProviders, externalIdentities, signInSteps, users, teams, teamMembers, roles } = schema;

const OWNER = 1;
const OfOidc = z.object({ settings: OidcSettings, mapping: Mapping });
const OfSaml = z.object({ settings: SamlSettings, mapping: Mapping });

export const postgresProviders = (db: Database, sealer: Sealer): ProviderStore => {
  const toProvider = (row: typeof identityProviders.$inferSelect): Provider => {
    const { workspaceId, id, name, enabled, sealedSecret } = row;
    const common = { workspaceId, id, name, enabled, revision: row.updatedAt.toISOString() };
    if (row.kind === 'saml') return { ...common, kind: 'saml', ...OfSaml.parse(row.settings) };
    const place = { workspaceId, table: 'identity_provider', row: id, column: 'sealed_secret' };
    const secret = sealedSecret === null ? null : sealer.open(sealedSecret, place);
    return { ...common, kind: 'oidc', secret, ...OfOidc.parse(row.settings) };
  };
  const { workspaceId: workspace, id, name, kind, enabled } = identityProviders;
  return {
    async find(workspaceId, providerId) {
      const [row] = await db
        .select()
        .from(identityProviders)
        .where(and(eq(workspace, workspaceId), eq(id, providerId)));
      return row && toProvider(row);
    },
    enabled: (workspaceId) =>
      db
        .select({ id, name, kind })
        .from(identityProviders)
        .where(and(eq(workspace, workspaceId), eq(enabled, true)))
        .orderBy(asc(id)),
  };
};

export const postgresSteps = (db: Database): StepStore => ({
  async put(hash, sealed, expiresAt) {
    const rows = await db.insert(signInSteps).values({ hash, sealed, expiresAt }).onConflictDoNothing().returning();
    return rows.length > 0;
  },
  async take(hash, now) {
    await db.delete(signInSteps).where(lt(signInSteps.expiresAt, now));
    const [row] = await db
      .delete(signInSteps)
      .where(and(eq(signInSteps.hash, hash), gt(signInSteps.expiresAt, now)))
      .returning();
    return row?.sealed;
  },
});

const person = {
  userId: users.id,
  kind: users.kind,
  role: users.role,
  status: users.status,
  expiresAt: users.expiresAt,
};

/** Thrown to undo what was begun. */
class Taken extends Error {}

const wordOf = ({ role, roleId }: { role: number; roleId: string | null }): string => roleId ?? String(role);

type Queries = Pick<Database, 'select' | 'insert' | 'update' | 'delete'>;

/** Gives the role, unless it is theirs already; a role of the workspace that is gone gives what every user has. */
const giveRole = async (
  tx: Queries,
  { workspaceId, userId }: { workspaceId: string; userId: string },
  before: { role: number; roleId: string | null },
  { role, roleId }: NonNullable<Wanted['role']>,
): Promise<Pick<Followed, 'before' | 'after'> | undefined> => {
  const isThere =
    roleId === null ||
    roleId === 'auditor' ||
    (
      await tx
        .select({ id: roles.id })
        .from(roles)
        .where(and(eq(roles.workspaceId, workspaceId), eq(roles.id, roleId)))
    ).length > 0;
  const after = { role, roleId: isThere ? roleId : null };
  if (before.role === after.role && before.roleId === after.roleId) return undefined;
  await tx
    .update(users)
    .set({ ...after, updatedAt: new Date() })
    .where(and(eq(users.workspaceId, workspaceId), eq(users.id, userId)));
  return { before: wordOf(before), after: wordOf(after) };
};

export const postgresPeople = (db: Database): PeopleStore => ({
  async byIdentity({ workspaceId, providerId, subject }) {
    const [row]: (Person | undefined)[] = await db
      .select(person)
      .from(externalIdentities)
      .innerJoin(
        users,
        and(eq(users.workspaceId, externalIdentities.workspaceId), eq(users.id, externalIdentities.userId)),
      )
      .where(
        and(
          eq(externalIdentities.workspaceId, workspaceId),
          eq(externalIdentities.providerId, providerId),
          eq(externalIdentities.subject, subject),
        ),
      );
    return row;
  },

  async byEmail(workspaceId, email, providerId) {
    const [row] = await db
      .select({ ...person, subject: externalIdentities.subject })
      .from(users)
      .leftJoin(
        externalIdentities,
        and(
          eq(externalIdentities.workspaceId, users.workspaceId),
          eq(externalIdentities.userId, users.id),
          eq(externalIdentities.providerId, providerId),
        ),
      )
      .where(and(eq(users.workspaceId, workspaceId), eq(users.email, email)))
      .limit(1);
    if (!row) return undefined;
    const { subject, ...found } = row;
    return { ...found, isLinked: subject !== null };
  },

  async link(identity, userId) {
    await db
      .insert(externalIdentities)
      .values({ ...identity, userId })
      .onConflictDoNothing();
  },

  create: (identity, { userId, name, email, role }) =>
    db
      .transaction(async (tx) => {
        const { workspaceId } = identity;
        const made = await tx
          .insert(users)
          .values({ workspaceId, id: userId, name, email: email ?? null, ...role })
          .onConflictDoNothing()
          .returning();
        if (made.length === 0) return false;
        const linked = await tx
          .insert(externalIdentities)
          .values({ ...identity, userId })
          .onConflictDoNothing()
          .returning();
        if (linked.length === 0) throw new Taken();
        return true;
      })
      .catch((error: unknown) => {
        if (error instanceof Taken) return false;
        throw error;
      }),

  follow: (workspaceId, userId, wanted) =>
    db.transaction(async (tx) => {
      const [row] = await tx
        .select({ role: users.role, roleId: users.roleId })
        .from(users)
        .where(and(eq(users.workspaceId, workspaceId), eq(users.id, userId)))
        .for('update');
      if (!row || row.role === OWNER) return undefined;
      const role = wanted.role && (await giveRole(tx, { workspaceId, userId }, row, wanted.role));
      const lost = wanted.namedTeams.filter((id) => !wanted.teams.includes(id));
      const mine = and(eq(teamMembers.workspaceId, workspaceId), eq(teamMembers.userId, userId));
      const left = await tx
        .delete(teamMembers)
        .where(and(mine, inArray(teamMembers.teamId, lost)))
        .returning({ id: teamMembers.teamId });
      const there = await tx
        .select({ id: teams.id })
        .from(teams)
        .where(and(eq(teams.workspaceId, workspaceId), inArray(teams.id, [...wanted.teams])));
      const joined =
        there.length === 0
          ? []
          : await tx
              .insert(teamMembers)
              .values(there.map(({ id }) => ({ workspaceId, teamId: id, userId })))
              .onConflictDoNothing()
              .returning({ id: teamMembers.teamId });
      if (!role && left.length === 0 && joined.length === 0) return undefined;
      return { ...role, joined: joined.map(({ id }) => id), left: left.map(({ id }) => id) };
    }),
});
