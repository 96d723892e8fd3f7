import { randomUUID } from 'node:crypto';
import { api, type Handlers } from '@peta/api';
import Fastify from 'fastify';
import type { Caller } from '#call';
import type { Database } from '#db';
import { newToken } from '#lib/token';
import { createAgents } from '../agents.ts';
import { createAuditLog } from '../audit.ts';
import { createCapabilities } from '../capabilities.ts';
import { createEndpoints } from '../endpoints.ts';
import { createEnvironments } from '../environments.ts';
import { createIdentityProviders } from '../identity-providers.ts';
import { createMe } from '../me.ts';
import { createOAuth } from '../oauth.ts';
import { createProxy } from '../proxy.ts';
import type { Change } from '../record.ts';
import { createRoles } from '../roles.ts';
import { type Asker, createRunner, listOperations } from '../run.ts';
import { createServers } from '../servers.ts';
import { createSessions } from '../sessions.ts';
import { createSetup, createSetupLink } from '../setup.ts';
import { createSignIns, type SignInPorts } from '../sign-ins.ts';
import { createTeams } from '../teams.ts';
import { createTokens } from '../tokens.ts';
import { createUsers } from '../users.ts';
import { createWorkspaces } from '../workspaces.ts';
import { registerActions } from './actions.ts';
import { registerHealth } from './health.ts';
import { postgresAgents } from './postgres-agents.ts';
import { postgresEndpoints } from './postgres-endpoints.ts';
import { postgresEnvironments } from './postgres-environments.ts';
import { postgresIdentityProviders } from './postgres-identity-providers.ts';
import { postgresOAuth } from './postgres-oauth.ts';
import { postgresProxy } from './postgres-proxy.ts';
import { postgresPublished } from './postgres-published.ts';
import { postgresRoles } from './postgres-roles.ts';
import { postgresServers } from './postgres-servers.ts';
import { postgresSessions } from './postgres-sessions.ts';
import { postgresSetup } from './postgres-setup.ts';
import { postgresTeams } from './postgres-teams.ts';
import { postgresTokens } from './postgres-tokens.ts';
import { postgresUsers } from './postgres-users.ts';
import { postgresWorkspaces } from './postgres-workspaces.ts';
import { registerRest } from './rest.ts';
import { registerSetupPage } from './setup-page.ts';
import { bySomeCookie, createAuthenticate, createTestSignIns, testProviders } from './test-callers.ts';
import { collisionOf, LISTING } from './test-outside.ts';

const W = 'default';
type Options = { db: Database; openEnvelope(text: string, token: string): Promise<string> };

/** The administrative API on a real database and a real HTTP application; what lies outside `admin/` is written down. */
export const createTestAdmin = async ({ db, openEnvelope }: Options) => {
  const seen = {
    changes: [] as Change[],
    published: [] as string[],
    door: [] as string[],
    faults: [] as unknown[],
    /** What was to be sealed, by the stand-in that stands for it in the database. */
    sealed: new Map<string, unknown>(),
    started: [] as string[],
    signIns: [] as Awaited<ReturnType<SignInPorts['list']>>,
    /** Clients and consents that the authorization server was told to end. */
    ended: [] as string[],
    shutdowns: 0,
  };
  const broken = { audit: false, database: true };

  const users = postgresUsers(db);
  const tokens = postgresTokens(db);
  const store = postgresServers(db);
  const environments = postgresEnvironments(db);
  const setup = postgresSetup(db);
  const teams = postgresTeams(db);
  const roles = postgresRoles(db);
  const agents = postgresAgents(db);
  const published = postgresPublished(db);
  const baseUrl = () => 'http://127.0.0.1:3002';
  const publish = async ({ topic, id }: { topic: string; id: string }) => void seen.published.push(`${topic} ${id}`);

  const runtime = {
    status: () => ({ status: 0 as const, reason: null }),
    logs: () => [{ at: new Date(0), source: 'stderr' as const, text: 'hello' }],
    async start({ serverId }: { serverId: string }) {
      seen.started.push(serverId);
      if (serverId.startsWith('broken')) throw new Error('It does not start.');
    },
  };
  const offers = {
    listing: ({ serverId }: { serverId: string }) => (serverId.startsWith('new') ? undefined : LISTING),
    allows: (_key: object, _caller: unknown, _kind: string, name: string) => name !== 'add',
    allowsServer: ({ serverId }: { serverId: string }, { permissions }: Caller) => permissions[serverId] !== undefined,
  };
  const seal = (_key: object, config: unknown) => {
    const text = `sealed-${seen.sealed.size}`;
    seen.sealed.set(text, config);
    return text;
  };

  const userHandlers = createUsers({ store: users, roles, publish });
  const serverHandlers = createServers({ store, environments, runtime, seal, publish });
  const signInHandlers = createSignIns({
    users,
    baseUrl,
    signIns: createTestSignIns(seen),
  });
  const handlers: Handlers<Asker> = {
    users: { ...userHandlers, ...signInHandlers.ofUsers },
    signIns: signInHandlers.resource,
    me: createMe({ store: users, teams, publish }),
    teams: createTeams({ store: teams, users, publish }),
    roles: createRoles(roles, publish),
    agents: createAgents({ store: agents, users, teams, publish }),
    servers: serverHandlers,
    capabilities: createCapabilities({ store, users, runtime, offers }),
    endpoints: createEndpoints({
      store: postgresEndpoints(db),
      servers: store,
      collisions: (_workspaceId, { nameStyle, selection: [first, second] }) =>
        nameStyle === 'none' && first && second ? [collisionOf(first.serverId, second.serverId)] : [],
      publish,
    }),
    tokens: createTokens({ store: tokens, users, publish }),
    sessions: createSessions({ store: postgresSessions(db), users, agents, publish }),
    ...createOAuth({
      store: postgresOAuth(db, (clientId, secret) => seal({ clientId }, secret)),
      oauth: {
        redirectRefusal: (uri) => (uri.startsWith('http://evil') ? 'The redirect URI is evil.' : undefined),
        endClient: async (_workspaceId, clientId) => void seen.ended.push(clientId),
        endConsent: async (consentId) => void seen.ended.push(consentId),
        keys: () => [{ kid: 'k1', createdAt: new Date(0), retiredAt: null }],
        rotateKeys: async () => void seen.ended.push('keys'),
      },
      users,
    }),
    identityProviders: createIdentityProviders({
      store: postgresIdentityProviders(db),
      seal: ({ providerId }, secret) => seal({ providerId }, secret),
      ...testProviders,
      baseUrl,
    }),
    audit: createAuditLog({
      list: async ({ cursor }) => {
        if (cursor) throw Object.assign(new Error('is not one of ours'), { name: 'BadCursor' });
        return { records: [], nextCursor: null };
      },
    }),
    proxy: createProxy({
      store: postgresProxy(db),
      port: () => 3002,
      async clear(who) {
        await serverHandlers.removeAll({}, who);
        await userHandlers.removeAll({}, who);
      },
      shutdown() {
        seen.shutdowns += 1;
      },
    }),
    setup: createSetup({
      store: setup,
      publish,
      baseUrl,
      passwords: {
        faultOf: (_user, password) => (password.length < 12 ? 'Too short.' : undefined),
        hash: async (password) => `hash of ${password.length} characters`,
        async signOut(_workspaceId, userId) {
          seen.signIns = seen.signIns.filter((one) => one.userId !== userId);
        },
      },
    }),
    environments: createEnvironments(environments),
    workspaces: createWorkspaces({ store: postgresWorkspaces(db), setup, publish, baseUrl }),
    routes: { list: async () => ({ routes: [] }) },
  };

  const authenticate = createAuthenticate(db, (endpoint) => void seen.door.push(endpoint));
  const app = Fastify({ bodyLimit: 100_000 });
  const onFault = (error: unknown) => void seen.faults.push(error);
  const operations = listOperations(handlers);
  const run = createRunner({
    async changed(change) {
      if (broken.audit) throw new Error('The disk is full.');
      seen.changes.push(change);
    },
  });
  registerRest(app, {
    operations,
    run,
    authenticate,
    signedIn: async ({ headers }) => bySomeCookie(headers.cookie),
    version: '0.0.0',
    onFault,
  });
  registerActions(app, {
    operations,
    run,
    authenticate,
    onFault,
    encryptedTokens: published.encryptedTokens,
    keepEnvelope: published.keepEnvelope,
    publicOwner: published.publicOwner,
    users: { openEnvelope, adoptToken: published.adoptToken, useSetupLink: setup.useSetupLink },
  });
  registerSetupPage(app);
  registerHealth(
    app,
    {
      sessions: () => ({ active: 1, total: 2 }),
      servers: () => ({ notes: 'Online' }),
      database: async () => broken.database,
    },
    authenticate,
  );
  await app.ready();

  /** A person who is there, and a token of theirs. */
  const addPerson = async (
    userId: string,
    role: 1 | 2 | 3,
    scope = {},
    expiresAt: string | null = null,
    roleId: string | null = null,
  ) => {
    await users.create(W, { userId, name: userId, role, roleId });
    const { secret, hash, mask } = newToken();
    const token = await tokens.create(W, { userId, name: 'test', hash, mask, scope, expiresAt });
    return { token: secret, tokenId: token.tokenId };
  };

  /** A browser in which somebody is signed in. */
  const signedIn = (userId: string) => {
    const at = new Date('2026-01-01T00:00:00Z');
    const times = { at, lastSeenAt: at, expiresAt: new Date('2026-01-08T00:00:00Z') };
    const whence = { methods: ['password'], address: '192.0.2.1', userAgent: 'Browser/1' };
    const one = { signInId: randomUUID(), workspaceId: W, userId, ...whence, ...times };
    seen.signIns.push(one);
    return one;
  };

  type Answer = { status: number; json: Record<string, unknown>; headers: Record<string, unknown>; text: string };
  const send = async (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    {
      token,
      body,
      headers = {},
    }: { token?: string | undefined; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const response = await app.inject({
      method,
      url,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      ...(body !== undefined && { payload: body as object }),
    });
    const isJson = String(response.headers['content-type']).includes('json');
    return {
      status: response.statusCode,
      json: isJson ? response.json() : {},
      headers: response.headers,
      text: response.body,
    };
  };

  return {
    app,
    api,
    seen,
    broken,
    operations,
    addPerson,
    signedIn,
    send,
    /** REST below /api/v1. */
    rest: (method: Parameters<typeof send>[0], path: string, options?: Parameters<typeof send>[2]) =>
      send(method, `/api/v1${path}`, options),
    action: (action: number, data: unknown, token?: string) =>
      send('POST', '/admin', { token, body: { action, data } }),
    async setupSecret(): Promise<string> {
      const { setupLink } = await createSetupLink({ store: setup, baseUrl }, W);
      return setupLink.split('#')[1] ?? '';
    },
  };
};

export type TestAdmin = Awaited<ReturnType<typeof createTestAdmin>>;
