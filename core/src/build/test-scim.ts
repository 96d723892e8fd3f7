import Fastify, { type InjectOptions } from 'fastify';
import { type Caller, EVERYWHERE, type Refused } from '#call';
import { type Database, schema } from '#db';
import type { ScimBody } from '../../../e2e/harness/scim.ts';
import { createGroups } from '../scim/groups.ts';
import { postgresGroups } from '../scim/io/postgres-groups.ts';
import { postgresUsers } from '../scim/io/postgres-users.ts';
import { registerScim } from '../scim/io/routes.ts';
import type { Change } from '../scim/ports.ts';
import { createUsers } from '../scim/users.ts';

const INVALID: Refused = { kind: 'refused', code: 'unauthenticated', reason: 'The token is not valid.' };

const callerOf = (workspaceId: string, userId: string, role: 1 | 2 | 3): Caller => ({
  workspaceId,
  kind: 'user',
  userId,
  role,
  tokenId: `token-${userId}`,
  operations: null,
  isAuditor: false,
  owner: null,
  scope: EVERYWHERE,
  endsAt: null,
  permissions: {},
  preferences: {},
});

/** SCIM on a real database and a real HTTP application; callers are known by their user ids as bearers. */
export const createTestScim = async (db: Database) => {
  const callers = new Map<string, Caller>();
  const seen = { changes: [] as Change[], published: [] as string[], faults: [] as unknown[] };
  const ports = {
    async changed(change: Change) {
      seen.changes.push(change);
    },
    async publish({ workspaceId, id }: { workspaceId: string; id: string }) {
      seen.published.push(`${workspaceId} ${id}`);
    },
    base: () => 'http://peta.test/scim/v2',
  };
  const removeFrom = (table: 'user' | 'team') => async (workspaceId: string, id: string) => {
    await db.$client.query(`delete from "${table}" where workspace_id = $1 and id = $2`, [workspaceId, id]);
    return table === 'user' ? [id] : [];
  };
  const app = Fastify();
  await registerScim(app, {
    ...ports,
    users: createUsers(postgresUsers({ db, remove: removeFrom('user') }), ports),
    groups: createGroups(postgresGroups({ db, remove: removeFrom('team') }), ports),
    authenticate: async (bearer) => callers.get(bearer ?? '') ?? INVALID,
    onFault: (error) => void seen.faults.push(error),
  });

  /** Somebody in a workspace, who is made, and can be asked as by their id. */
  const addPerson = async (workspaceId: string, id: string, role: 1 | 2 | 3, more: Partial<Caller> = {}) => {
    await db.insert(schema.workspaces).values({ id: workspaceId, name: workspaceId }).onConflictDoNothing();
    await db.insert(schema.users).values({ workspaceId, id, name: id, role });
    callers.set(id, { ...callerOf(workspaceId, id, role), ...more });
  };

  const ask = async (
    bearer: string,
    method: NonNullable<InjectOptions['method']>,
    path: string,
    body?: object | string,
    headers: Record<string, string> = {},
  ) => {
    const response = await app.inject({
      method,
      url: `/scim/v2${path}`,
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(body !== undefined && { 'content-type': 'application/scim+json' }),
        ...headers,
      },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = response.body;
    return {
      status: response.statusCode,
      headers: response.headers,
      json: (text === '' ? undefined : JSON.parse(text)) as ScimBody,
    };
  };

  return { app, ask, addPerson, callers, seen };
};
