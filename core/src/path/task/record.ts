import type { Caller, TaskState } from '#call';

/** Whose tasks, at which endpoint: nobody else's request finds them. */
export type Owner = Pick<Caller, 'workspaceId' | 'kind' | 'userId'> & { endpoint: string };

/** One kept task. */
export type TaskRecord = Owner & {
  /** The handle that the client has. */
  id: string;
  serverId: string;
  tool: string;
  ownId: string | null;
  state: TaskState;
  sealedEnding: string | null;
  createdAt: Date;
  expiresAt: Date;
};

/** Where a page of a list ended. */
export type Place = { createdAt: Date; id: string };

/** Where tasks are kept, for every replica. */
export type TaskStore = {
  add(record: TaskRecord): Promise<void>;
  find(owner: Owner, id: string, now: Date): Promise<TaskRecord | undefined>;
  /** The owner's, the latest first, after a place. */
  page(owner: Owner, after: Place | undefined, limit: number, now: Date): Promise<TaskRecord[]>;
  count(owner: Owner, now: Date): Promise<number>;
  update(workspaceId: string, id: string, change: Pick<TaskRecord, 'state' | 'expiresAt'>): Promise<void>;
  /** Removes what has expired; returns how many that were. */
  sweep(now: Date): Promise<number>;
};
