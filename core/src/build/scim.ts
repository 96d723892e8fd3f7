import type { FastifyInstance } from 'fastify';
import { postgresTeams as adminTeams } from '../admin/io/postgres-teams.ts';
import { postgresUsers as adminUsers } from '../admin/io/postgres-users.ts';
import { type Database, inWorkspace } from '../db/db.ts';
import { withDatabase } from '../db/unavailable.ts';
import { createGroups } from '../scim/groups.ts';
import { postgresGroups } from '../scim/io/postgres-groups.ts';
import { postgresUsers } from '../scim/io/postgres-users.ts';
import { registerScim, SCIM } from '../scim/io/routes.ts';
import { createUsers } from '../scim/users.ts';
import type { Gateway } from './gateway.ts';

export type ScimOptions = {
  db: Database;
  gateway: Pick<Gateway, 'audit' | 'authenticate' | 'onFault' | 'publish'>;
  baseUrl(): string;
};

type Store<T> = { [Name in keyof T]: (workspaceId: string, ...rest: never[]) => Promise<unknown> };

/** Every method of a store, shown the one workspace by the database, and a database that is away told as such. */
const within = <T extends Store<T>>(store: T): T =>
  Object.fromEntries(
    Object.entries<Store<T>[keyof T]>(store).map(([name, method]) => [
      name,
      (workspaceId: string, ...rest: never[]) =>
        withDatabase(() => inWorkspace(workspaceId, () => method(workspaceId, ...rest))),
    ]),
  ) as T;

/** Directories that provision people and teams by SCIM 2.0. */
export const buildScim = async (app: FastifyInstance, { db, gateway, baseUrl }: ScimOptions): Promise<void> => {
  const { audit, authenticate, onFault, publish } = gateway;
  const ports = { changed: audit.changed, publish, base: () => `${baseUrl()}${SCIM}` };
  const users = within(postgresUsers({ db, remove: adminUsers(db).remove }));
  const groups = within(postgresGroups({ db, remove: adminTeams(db).remove }));
  await registerScim(app, {
    ...ports,
    users: createUsers(users, ports),
    groups: createGroups(groups, ports),
    authenticate,
    onFault,
  });
};
