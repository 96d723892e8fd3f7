import { AsyncLocalStorage } from 'node:async_hooks';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import * as base from './schema.ts';
import * as cluster from './schema-cluster.ts';
import * as identity from './schema-identity.ts';

const schema = { ...base, ...cluster, ...identity };

/** Typed SQL over a pool. Adapters in `io/` folders take one of these. */
export type Database = NodePgDatabase<typeof schema> & { $client: pg.Pool };
export { schema };

/** What the policies of the tables take for every workspace; no workspace can have it as its id. */
const ALL = '*';
const context = new AsyncLocalStorage<string>();

/** Begins what `run` gives while its context holds: a query builder begins nothing before somebody waits for it. */
const within = <T>(workspaceId: string, run: () => T | PromiseLike<T>): Promise<T> =>
  context.run(
    workspaceId,
    () =>
      new Promise<T>((done, fail) => {
        try {
          const result = run();
          if (typeof result === 'object' && result !== null && 'then' in result) result.then(done, fail);
          else done(result);
        } catch (error) {
          fail(error);
        }
      }),
  );

/** Runs what is done for one workspace: the database shows it, and lets it write, nothing of another. */
export const inWorkspace = <T>(workspaceId: string, run: () => T | PromiseLike<T>): Promise<T> => {
  if (workspaceId === '' || workspaceId === ALL) throw new Error('Say which workspace it is.');
  return within(workspaceId, run);
};

/**
 * Runs what is done for no single workspace: who somebody is, sweeps, the log's way to the database. Long-lived work that
 * may begin in the middle of somebody's request belongs in here, so that it does not stay in their workspace.
 */
export const acrossWorkspaces = <T>(run: () => T | PromiseLike<T>): Promise<T> => within(ALL, run);

type Method = (...rest: never[]) => Promise<unknown>;

/**
 * A store whose rows may belong to no workspace, which the database shows to nobody who works for one: every method runs
 * across workspaces, and names in its own queries the one that it is about.
 */
export const storeAcrossWorkspaces = <T extends { [Name in keyof T]: Method }>(store: T): T =>
  Object.fromEntries(
    Object.entries<Method>(store).map(([name, method]) => [
      name,
      (...rest: never[]) => acrossWorkspaces(() => method(...rest)),
    ]),
  ) as T;

/** What the database is to be told on behalf of whom it works. */
export const currentWorkspace = (): string => context.getStore() ?? ALL;
