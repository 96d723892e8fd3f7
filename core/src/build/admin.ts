import type { Handlers, LaunchConfig } from '@peta/api';
import type { FastifyInstance } from 'fastify';
import { createAgents } from '../admin/agents.ts';
import { createAuditLog } from '../admin/audit.ts';
import { createCapabilities } from '../admin/capabilities.ts';
import { createEndpoints } from '../admin/endpoints.ts';
import { createEnvironments } from '../admin/environments.ts';
import { createIdentityProviders, type ProviderPorts } from '../admin/identity-providers.ts';
import { registerActions } from '../admin/io/actions.ts';
import { registerHealth } from '../admin/io/health.ts';
import { postgresAgents } from '../admin/io/postgres-agents.ts';
import { postgresEndpoints } from '../admin/io/postgres-endpoints.ts';
import { postgresEnvironments } from '../admin/io/postgres-environments.ts';
import { postgresIdentityProviders } from '../admin/io/postgres-identity-providers.ts';
import { postgresProxy } from '../admin/io/postgres-proxy.ts';
import { postgresPublished } from '../admin/io/postgres-published.ts';
import { postgresRoles } from '../admin/io/postgres-roles.ts';
import { postgresServers } from '../admin/io/postgres-servers.ts';
import { postgresSessions } from '../admin/io/postgres-sessions.ts';
import { postgresSetup } from '../admin/io/postgres-setup.ts';
import { postgresTeams } from '../admin/io/postgres-teams.ts';
import { postgresTokens } from '../admin/io/postgres-tokens.ts';
import { postgresUsers } from '../admin/io/postgres-users.ts';
import { postgresWorkspaces } from '../admin/io/postgres-workspaces.ts';
import { registerRest } from '../admin/io/rest.ts';
import { registerSetupPage } from '../admin/io/setup-page.ts';
import { createMe } from '../admin/me.ts';
import { createOAuth, type OAuthPort, type OAuthStore } from '../admin/oauth.ts';
import { createProxy } from '../admin/proxy.ts';
import { createRoles } from '../admin/roles.ts';
import { type Asker, createRunner, listOperations } from '../admin/run.ts';
import { createServers } from '../admin/servers.ts';
import { createSessions } from '../admin/sessions.ts';
import { createSetup } from '../admin/setup.ts';
import { createSignIns } from '../admin/sign-ins.ts';
import { createTeams } from '../admin/teams.ts';
import { createTokens } from '../admin/tokens.ts';
import { createUsers } from '../admin/users.ts';
import { createWorkspaces } from '../admin/workspaces.ts';
import { acrossWorkspaces, type Database, inWorkspace } from '../db/db.ts';
import { isDatabaseUnavailable, withDatabase } from '../db/unavailable.ts';
import type { Route } from '../http/io/app.ts';
import type { Log } from '../lib/log.ts';
import { listRecords } from '../path/audit/io/query.ts';
import { everythingIn } from '../path/catalog/variants.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { tokenIdOf } from '../sign-in/io/postgres-sign-ins.ts';
import { certificateFault } from '../sso/certificate.ts';
import { readMetadata } from '../sso/io/saml-metadata.ts';
import type { Gateway } from './gateway.ts';
import type { SignIn } from './sign-in.ts';

export type AdminOptions = {
  db: Database;
  log: Log;
  version: string;
  gateway: Gateway;
  signIn: SignIn;
  /** Every route of the application, as it grows. */
  routes: readonly Route[];
  seal(key: { workspaceId: string; serverId: string }, config: LaunchConfig): string;
  oauth: {
    port: OAuthPort;
    store: OAuthStore;
  };
  identityProviders: Pick<ProviderPorts, 'seal' | 'test'>;
  /** Where this process listens. */
  baseUrl(): string;
  /** Where people and clients reach Peta. */
  publicUrl(): string;
  shutdown(): void;
};

const STATUS_WORDS = ['Online', 'Offline', 'Connecting', 'Error', 'Sleeping'] as const;

/** Everything administrators and people reach by HTTP that is not MCP. */
export const buildAdmin = (app: FastifyInstance, options: AdminOptions): void => {
  const { db, gateway, signIn, seal, baseUrl, publicUrl, shutdown, version, routes } = options;
  const { runtime, registry, publish, audit, authenticate, onFault } = gateway;
  const users = postgresUsers(db);
  const tokens = postgresTokens(db);
  const servers = postgresServers(db);
  const environments = postgresEnvironments(db);
  const setup = postgresSetup(db);
  const teams = postgresTeams(db);
  const roles = postgresRoles(db);
  const agents = postgresAgents(db);
  const published = postgresPublished(db);

  const ports = {
    store: servers,
    environments,
    users,
    runtime,
    seal,
    publish,
    offers: {
      listing({ workspaceId, serverId }: { workspaceId: string; serverId: string }) {
        const listing = registry.get(workspaceId, serverId)?.listing;
        return listing && everythingIn(listing);
      },
      allows: gateway.allows,
      allowsServer: gateway.allowsServer,
    },
  };
  const userHandlers = createUsers({ store: users, roles, publish });
  const serverHandlers = createServers(ports);
  const signInHandlers = createSignIns({
    users,
    baseUrl: publicUrl,
    signIns: {
      ...signIn.signIns,
      async invite(workspaceId, userId) {
        const person = await signIn.people.find(workspaceId, userId, new Date());
        return person?.isWelcome && person.userId === userId ? signIn.invites.create(person) : undefined;
      },
    },
  });
  const passwords = {
    faultOf: signIn.local.faultOf,
    hash: signIn.hasher.hash,
    signOut: (workspaceId: string, userId: string) => signIn.signIns.end({ workspaceId, userId }),
  };

  const handlers: Handlers<Asker> = {
    users: { ...userHandlers, ...signInHandlers.ofUsers },
    signIns: signInHandlers.resource,
    me: createMe({ store: users, teams, publish }),
    teams: createTeams({ store: teams, users, publish }),
    roles: createRoles(roles, publish),
    agents: createAgents({ store: agents, users, teams, publish }),
    servers: serverHandlers,
    capabilities: createCapabilities(ports),
    endpoints: createEndpoints({ store: postgresEndpoints(db), servers, collisions: gateway.collisions, publish }),
    tokens: createTokens({ store: tokens, users, publish }),
    sessions: createSessions({ store: postgresSessions(db), users, agents, publish }),
    ...createOAuth({
      store: options.oauth.store,
      oauth: options.oauth.port,
      users,
    }),
    identityProviders: createIdentityProviders({
      store: postgresIdentityProviders(db),
      ...options.identityProviders,
      readMetadata,
      certificateFault,
      baseUrl: publicUrl,
    }),
    audit: createAuditLog({
      async list(filter) {
        await gateway.flushAudit();
        return listRecords(db, filter);
      },
    }),
    proxy: createProxy({
      store: postgresProxy(db),
      port: () => Number(new URL(baseUrl()).port),
      async clear(who) {
        await serverHandlers.removeAll({}, who);
        await userHandlers.removeAll({}, who);
      },
      shutdown,
    }),
    setup: createSetup({ store: setup, publish, passwords, baseUrl }),
    environments: createEnvironments(environments),
    workspaces: createWorkspaces({ store: postgresWorkspaces(db), setup, publish, baseUrl }),
    routes: { list: async () => ({ routes: [...routes] }) },
  };

  /** What the database shows while an operation runs is the asker's own workspace. */
  const forAsker = <T>({ caller }: Asker, run: () => Promise<T>): Promise<T> =>
    caller ? inWorkspace(caller.workspaceId, run) : acrossWorkspaces(run);
  const within = <T>(workspaceId: string, run: () => Promise<T>): Promise<T> =>
    withDatabase(() => inWorkspace(workspaceId, run));

  const operations = listOperations(handlers).map((named) => ({
    ...named,
    handler: (input: unknown, who: Asker) => withDatabase(() => forAsker(who, () => named.handler(input, who))),
  }));
  const run = createRunner({ changed: audit.changed });
  registerRest(app, {
    operations,
    run,
    authenticate,
    async signedIn(request) {
      const signedIn = await withDatabase(() => signIn.forApi(request));
      const caller = signedIn && (await gateway.callerOf(tokenIdOf(signedIn.signInId)));
      return caller && !('code' in caller) ? caller : undefined;
    },
    version,
    onFault,
  });
  registerActions(app, {
    operations,
    run,
    authenticate,
    onFault,
    encryptedTokens: (workspaceId) => within(workspaceId, () => published.encryptedTokens(workspaceId)),
    keepEnvelope: (workspaceId, ...envelope) =>
      within(workspaceId, () => published.keepEnvelope(workspaceId, ...envelope)),
    publicOwner: (workspaceId) => within(workspaceId, () => published.publicOwner(workspaceId)),
    users: {
      openEnvelope,
      adoptToken: (workspaceId, ...token) => within(workspaceId, () => published.adoptToken(workspaceId, ...token)),
      useSetupLink: (hash, now, use) => withDatabase(() => setup.useSetupLink(hash, now, use)),
    },
  });
  registerSetupPage(app);
  registerHealth(
    app,
    {
      sessions(workspaceId) {
        const sessions = gateway.sessions.all().filter((session) => session.workspaceId === workspaceId);
        return { active: sessions.filter(({ open }) => open > 0).length, total: sessions.length };
      },
      servers: (workspaceId) =>
        Object.fromEntries(
          registry
            .all(workspaceId)
            .map(({ server: { serverId, enabled } }) => [
              serverId,
              enabled ? STATUS_WORDS[runtime.status({ workspaceId, serverId }).status] : 'Offline',
            ]),
        ),
      database: () =>
        db.$client.query('select 1').then(
          () => true,
          (error: unknown) => !isDatabaseUnavailable(error),
        ),
    },
    authenticate,
  );
};
