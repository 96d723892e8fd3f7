import type { CustomRole } from '@peta/api';
import { and, asc, eq } from 'drizzle-orm';
import { schema } from '#db';
import type { RoleStore } from '../roles.ts';
import type { Queries } from './queries.ts';

const { roles, users } = schema;

const toRole = (row: typeof roles.$inferSelect): CustomRole => ({
  roleId: row.id,
  name: row.name,
  operations: row.operations,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

export const postgresRoles = (db: Queries): RoleStore => {
  const one = (workspaceId: string, roleId: string) => and(eq(roles.workspaceId, workspaceId), eq(roles.id, roleId));
  const held = (workspaceId: string, roleId: string) =>
    and(eq(users.workspaceId, workspaceId), eq(users.roleId, roleId));
  return {
    async list(workspaceId) {
      const rows = await db.select().from(roles).where(eq(roles.workspaceId, workspaceId)).orderBy(asc(roles.id));
      return rows.map(toRole);
    },
    async find(workspaceId, roleId) {
      const [row] = await db.select().from(roles).where(one(workspaceId, roleId));
      return row && toRole(row);
    },
    async create(workspaceId, { roleId, ...role }) {
      const [row] = await db
        .insert(roles)
        .values({ workspaceId, id: roleId, ...role })
        .onConflictDoNothing()
        .returning();
      return row && toRole(row);
    },
    async update(workspaceId, roleId, { name, operations }) {
      const [row] = await db
        .update(roles)
        .set({ ...(name !== undefined && { name }), ...(operations && { operations }), updatedAt: new Date() })
        .where(one(workspaceId, roleId))
        .returning();
      return row && toRole(row);
    },
    remove: (workspaceId, roleId) =>
      db.transaction(async (tx) => {
        await tx.update(users).set({ roleId: null }).where(held(workspaceId, roleId));
        return (await tx.delete(roles).where(one(workspaceId, roleId)).returning({ id: roles.id })).length > 0;
      }),
    async holders(workspaceId, roleId) {
      const rows = await db.select({ id: users.id }).from(users).where(held(workspaceId, roleId));
      return rows.map(({ id }) => id);
    },
  };
};
