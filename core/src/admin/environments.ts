import type { Environment, Handlers } from '@peta/api';
import { environmentExists, environmentInUse, noEnvironment } from './errors.ts';
import type { Asker } from './run.ts';
import { callerOf } from './users.ts';

export type EnvironmentStore = {
  list(workspaceId: string): Promise<Environment[]>;
  find(workspaceId: string, environmentId: string): Promise<Environment | undefined>;
  /** Undefined when the id is taken. */
  create(workspaceId: string, environmentId: string, name: string): Promise<Environment | undefined>;
  rename(workspaceId: string, environmentId: string, name: string): Promise<Environment | undefined>;
  /** False when there is none that no server belongs to. */
  remove(workspaceId: string, environmentId: string): Promise<boolean>;
};

export const createEnvironments = (store: EnvironmentStore): Handlers<Asker>['environments'] => {
  const find = async (workspaceId: string, environmentId: string): Promise<Environment> => {
    const environment = await store.find(workspaceId, environmentId);
    if (!environment) throw noEnvironment(environmentId);
    return environment;
  };

  return {
    list: async (_input, who) => ({ environments: await store.list(callerOf(who).workspaceId) }),

    async create({ environmentId, name = environmentId }, who) {
      const environment = await store.create(callerOf(who).workspaceId, environmentId, name);
      if (!environment) throw environmentExists(environmentId);
      return { environment };
    },

    async rename({ environmentId, name }, who) {
      const { workspaceId } = callerOf(who);
      who.before(await find(workspaceId, environmentId));
      const environment = await store.rename(workspaceId, environmentId, name);
      if (!environment) throw noEnvironment(environmentId);
      return { environment };
    },

    async remove({ environmentId }, who) {
      const { workspaceId } = callerOf(who);
      who.before(await find(workspaceId, environmentId));
      if (await store.remove(workspaceId, environmentId))
        return { message: `The environment ${environmentId} was removed.` };
      throw environmentInUse(environmentId, (await find(workspaceId, environmentId)).servers);
    },
  };
};
