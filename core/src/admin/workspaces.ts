import type { Handlers, Workspace } from '@peta/api';
import { type Caller, FIRST_WORKSPACE } from '#call';
import { invalid, nothingHere, noWorkspace, workspaceExists } from './errors.ts';
import type { Asker } from './run.ts';
import { createSetupLink, type SetupStore } from './setup.ts';
import { callerOf, type Publish } from './users.ts';

export type WorkspaceStore = {
  list(): Promise<Workspace[]>;
  find(workspaceId: string): Promise<Workspace | undefined>;
  /** Undefined when the id is taken. */
  create(workspaceId: string, name: string): Promise<Workspace | undefined>;
  rename(workspaceId: string, name: string): Promise<Workspace | undefined>;
  /** With every row that belongs to it. */
  remove(workspaceId: string): Promise<boolean>;
};

type Ports = { store: WorkspaceStore; setup: SetupStore; publish: Publish; baseUrl(): string };

/** Whoever runs this installation. To the owner of another workspace the rest of it is not there. */
export const checkRunsInstallation = (caller: Caller): void => {
  if (caller.workspaceId !== FIRST_WORKSPACE) throw nothingHere();
};

export const createWorkspaces = ({ store, setup, publish, baseUrl }: Ports): Handlers<Asker>['workspaces'] => {
  const find = async (workspaceId: string): Promise<Workspace> => {
    const workspace = await store.find(workspaceId);
    if (!workspace) throw noWorkspace(workspaceId);
    return workspace;
  };
  const link = (workspaceId: string) => createSetupLink({ store: setup, baseUrl }, workspaceId);

  return {
    async list(_input, who) {
      checkRunsInstallation(callerOf(who));
      return { workspaces: await store.list() };
    },

    async create({ workspaceId, name = workspaceId }, who) {
      checkRunsInstallation(callerOf(who));
      const workspace = await store.create(workspaceId, name);
      if (!workspace) throw workspaceExists(workspaceId);
      return { workspace, ...(await link(workspaceId)) };
    },

    async update({ workspaceId, name }, who) {
      checkRunsInstallation(callerOf(who));
      who.before(await find(workspaceId));
      const workspace = await store.rename(workspaceId, name);
      if (!workspace) throw noWorkspace(workspaceId);
      return { workspace };
    },

    async link({ workspaceId }, who) {
      checkRunsInstallation(callerOf(who));
      await find(workspaceId);
      return link(workspaceId);
    },

    async remove({ workspaceId }, who) {
      checkRunsInstallation(callerOf(who));
      if (workspaceId === FIRST_WORKSPACE)
        throw invalid('workspaceId: the first workspace cannot be removed, as whoever owns it runs this installation.');
      who.before(await find(workspaceId));
      if (!(await store.remove(workspaceId))) throw noWorkspace(workspaceId);
      await publish({ topic: 'workspace', workspaceId, id: workspaceId });
      return { message: `The workspace ${workspaceId} was removed with everything in it.` };
    },
  };
};
