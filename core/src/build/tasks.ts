import type { Admitted, Call, Capability } from '#call';
import { acrossWorkspaces, type Database, inWorkspace } from '../db/db.ts';
import { withDatabase } from '../db/unavailable.ts';
import { type Log, sentenceOf } from '../lib/log.ts';
import { kindsOf } from '../path/catalog/kinds.ts';
import type { Registry } from '../path/catalog/registry.ts';
import { listsFor } from '../path/catalog/variants.ts';
import { postgresTasks } from '../path/task/io/postgres-tasks.ts';
import type { TaskStore } from '../path/task/record.ts';
import { createEndingSeal } from '../path/task/seal.ts';
import { createTasks } from '../path/task/tasks.ts';

type Parts = {
  db: Database;
  /** Secret, the same on every replica. */
  key: Buffer;
  reaches(capability: Capability, admitted: Admitted): boolean;
  now(): number;
  pageSize: number;
  log: Log;
};

const SWEEP_MS = 30_000;

/** The table of tasks, and what keeps it small. */
export const buildTasks = ({ db, key, reaches, now, pageSize, log }: Parts) => {
  const store = postgresTasks(db);
  const within = <T>({ workspaceId }: { workspaceId: string }, run: () => Promise<T>): Promise<T> =>
    withDatabase(() => inWorkspace(workspaceId, run));
  const guarded: TaskStore = {
    add: (record) => within(record, () => store.add(record)),
    find: (owner, id, at) => within(owner, () => store.find(owner, id, at)),
    page: (owner, after, limit, at) => within(owner, () => store.page(owner, after, limit, at)),
    count: (owner, at) => within(owner, () => store.count(owner, at)),
    update: (workspaceId, id, change) => within({ workspaceId }, () => store.update(workspaceId, id, change)),
    sweep: (at) => withDatabase(() => acrossWorkspaces(() => store.sweep(at))),
  };
  const tasks = createTasks({ store: guarded, reaches, seal: createEndingSeal(key), now, pageSize });
  const sweeping = setInterval(
    () =>
      tasks
        .sweep()
        .catch((error: unknown) => log.warn('Expired tasks were not removed', { reason: sentenceOf(error) })),
    SWEEP_MS,
  );
  sweeping.unref();
  return { tasks, close: () => clearInterval(sweeping) };
};

/** Whether a tool must or may be a task, as its server last listed it to clients like the caller's. */
export const taskSupport =
  (registry: Registry) =>
  ({ caller, client, capability }: Call): unknown => {
    const listing = registry.get(caller.workspaceId, capability.serverId)?.listing;
    const tools = listing ? listsFor(listing, kindsOf(client.capabilities)).tools : [];
    const execution = tools.find(({ name }) => name === capability.name)?.execution;
    return typeof execution === 'object' && execution !== null && 'taskSupport' in execution
      ? execution.taskSupport
      : undefined;
  };
