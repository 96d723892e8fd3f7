import type { FastifyInstance } from 'fastify';
import { postgresUsers as adminUsers } from '../admin/io/postgres-users.ts';
import type { Database } from '../db/db.ts';
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

/** Every method of a store, with a database that is away told as such. */
const reached = <T extends { [Name in keyof T]: (...args: never[]) => Promise<unknown> }>(store: T): T =>
  Object.fromEntries(
    Object.entries<(...args: never[]) => Promise<unknown>>(store).map(([name, method]) => [
      name,
      (...args: never[]) => withDatabase(() => method(...args)),
    ]),
  ) as T;

/** Directories that provision people and teams by SCIM 2.0. */
export const buildScim = async (app: FastifyInstance, { db, gateway, baseUrl }: ScimOptions): Promise<void> => {
  const { audit, authenticate, onFault, publish } = gateway;
  const ports = { changed: audit.changed, publish, base: () => `${baseUrl()}${SCIM}` };
  await registerScim(app, {
    ...ports,
    users: createUsers(reached(postgresUsers({ db, remove: adminUsers(db).remove })), ports),
    groups: createGroups(reached(postgresGroups(db)), ports),
    authenticate,
    onFault,
  });
};
