import { type CustomRole, type Handlers, isAssignable, operations } from '@peta/api';
import { invalid, noRole, roleExists } from './errors.ts';
import { AUDITOR } from './may.ts';
import type { Asker } from './run.ts';
import { callerOf, type Publish } from './users.ts';

type Changes = { name?: string | undefined; operations?: string[] | undefined };

export type RoleStore = {
  list(workspaceId: string): Promise<CustomRole[]>;
  find(workspaceId: string, roleId: string): Promise<CustomRole | undefined>;
  /** Undefined when the id is taken. */
  create(
    workspaceId: string,
    role: { roleId: string; name: string; operations: string[] },
  ): Promise<CustomRole | undefined>;
  update(workspaceId: string, roleId: string, changes: Changes): Promise<CustomRole | undefined>;
  /** Takes it from its holders too. */
  remove(workspaceId: string, roleId: string): Promise<boolean>;
  /** Ids of those who have it. */
  holders(workspaceId: string, roleId: string): Promise<string[]>;
};

const checkOperations = (names: readonly string[]): void => {
  for (const name of names) {
    const operation = operations.get(name);
    if (!operation)
      throw invalid(`operations: there is no operation "${name}". GET /api/v1/roles/operations lists all.`);
    if (!isAssignable(operation))
      throw invalid(
        operation.guard === 'owner'
          ? `operations: ${name} is the owner's alone.`
          : `operations: ${name} is for everybody, and a role adds nothing to it.`,
      );
  }
};

export const createRoles = (store: RoleStore, publish: Publish): Handlers<Asker>['roles'] => {
  const find = async (workspaceId: string, roleId: string): Promise<CustomRole> => {
    const role = await store.find(workspaceId, roleId);
    if (!role) throw noRole(roleId);
    return role;
  };

  /** Whoever remembers a holder looks again. */
  const tell = async (workspaceId: string, holders: readonly string[]): Promise<void> => {
    for (const id of holders) await publish({ topic: 'user', workspaceId, id });
  };

  return {
    list: async (_input, who) => ({ roles: await store.list(callerOf(who).workspaceId) }),

    operations: async () => ({
      operations: [...operations].map(([name, operation]) => ({
        name,
        summary: operation.summary,
        guard: operation.guard,
        isReading: operation.method === 'GET',
        isAssignable: isAssignable(operation),
      })),
    }),

    async create({ roleId, name = roleId, operations: names }, who) {
      const { workspaceId } = callerOf(who);
      if (roleId === AUDITOR) throw invalid('roleId: auditor is built in; choose another.');
      checkOperations(names);
      const role = await store.create(workspaceId, { roleId, name, operations: [...new Set(names)] });
      if (!role) throw roleExists(roleId);
      // Somebody may have held a role of this name before it was there.
      await tell(workspaceId, await store.holders(workspaceId, roleId));
      return { role };
    },

    async update({ roleId, ...changes }, who) {
      const { workspaceId } = callerOf(who);
      who.before(await find(workspaceId, roleId));
      checkOperations(changes.operations ?? []);
      const role = await store.update(workspaceId, roleId, changes);
      if (!role) throw noRole(roleId);
      await tell(workspaceId, await store.holders(workspaceId, roleId));
      return { role };
    },

    async remove({ roleId }, who) {
      const { workspaceId } = callerOf(who);
      const holders = await store.holders(workspaceId, roleId);
      who.before({ ...(await find(workspaceId, roleId)), holders });
      if (!(await store.remove(workspaceId, roleId))) throw noRole(roleId);
      await tell(workspaceId, holders);
      return { message: `The role ${roleId} was removed.` };
    },
  };
};
