import type { Handlers, LaunchConfig } from '@peta/api';
import type { FastifyInstance } from 'fastify';
import { createAuditLog } from '../admin/audit.ts';
import { createProxy, createSetup } from '../admin/gateway.ts';
import { registerActions } from '../admin/io/actions.ts';
import { registerHealth } from '../admin/io/health.ts';
import { postgresGateway } from '../admin/io/postgres-gateway.ts';
import { postgresPublished } from '../admin/io/postgres-published.ts';
import { postgresServers } from '../admin/io/postgres-servers.ts';
import { postgresTokens } from '../admin/io/postgres-tokens.ts';
import { postgresUsers } from '../admin/io/postgres-users.ts';
import { registerRest } from '../admin/io/rest.ts';
import { registerSetupPage } from '../admin/io/setup-page.ts';
import { type Asker, createRunner, listOperations } from '../admin/run.ts';
import { createCapabilities, createServers } from '../admin/servers.ts';
import { createTokens } from '../admin/tokens.ts';
import { createMe, createUsers } from '../admin/users.ts';
import type { Database } from '../db/db.ts';
import { isDatabaseUnavailable, withDatabase } from '../db/unavailable.ts';
import type { Route } from '../http/io/app.ts';
import type { Log } from '../lib/log.ts';
import { hashToken } from '../lib/token.ts';
import { listRecords } from '../path/audit/io/query.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import type { Gateway } from './gateway.ts';

export type AdminOptions = {
  db: Database;
  log: Log;
  version: string;
  gateway: Gateway;
  /** Every route of the application, as it grows. */
  routes: readonly Route[];
  seal(key: { workspaceId: string; serverId: string }, config: LaunchConfig): string;
  baseUrl(): string;
  shutdown(): void;
};

const STATUS_WORDS = ['Online', 'Offline', 'Connecting', 'Error', 'Sleeping'] as const;

/** Everything administrators and people reach by HTTP that is not MCP. */
export const buildAdmin = (app: FastifyInstance, options: AdminOptions): void => {
  const { db, gateway, seal, baseUrl, shutdown, version, routes } = options;
  const { runtime, registry, publish, audit, authenticate, onFault } = gateway;
  const users = postgresUsers(db);
  const tokens = postgresTokens(db);
  const servers = postgresServers(db);
  const store = postgresGateway(db);
  const published = postgresPublished(db);

  const ports = {
    store: servers,
    users,
    runtime,
    seal,
    publish,
    offers: {
      listing: ({ workspaceId, serverId }: { workspaceId: string; serverId: string }) =>
        registry.get(workspaceId, serverId)?.listing,
      allows: gateway.allows,
      allowsServer: gateway.allowsServer,
    },
  };
  const userHandlers = createUsers(users, publish);
  const serverHandlers = createServers(ports);

  const handlers: Handlers<Asker> = {
    users: userHandlers,
    me: createMe(users, publish),
    servers: serverHandlers,
    capabilities: createCapabilities(ports),
    tokens: createTokens(tokens, users, publish),
    audit: createAuditLog({
      async list(filter) {
        await gateway.flushAudit();
        return listRecords(db, filter);
      },
    }),
    proxy: createProxy({
      store,
      port: () => Number(new URL(baseUrl()).port),
      async clear(who) {
        await serverHandlers.removeAll({}, who);
        await userHandlers.removeAll({}, who);
      },
      shutdown,
    }),
    setup: createSetup({ store, users, tokens, publish, baseUrl }),
    routes: { list: async () => ({ routes: [...routes] }) },
  };

  const operations = listOperations(handlers).map((named) => ({
    ...named,
    handler: (input: unknown, who: Asker) => withDatabase(() => named.handler(input, who)),
  }));
  const run = createRunner({ changed: audit.changed });
  registerRest(app, { operations, run, authenticate, version, onFault });
  registerActions(app, {
    operations,
    run,
    authenticate,
    onFault,
    encryptedTokens: published.encryptedTokens,
    async publicOwner() {
      const owner = await users.owner('default');
      if (!owner) return null;
      const { userId, name, role, status } = owner;
      return {
        userId,
        name,
        role,
        status,
        encryptedToken: (await published.encryptedTokens('default'))[userId] ?? null,
      };
    },
    users: {
      hasOwner: async () => (await users.owner('default')) !== undefined,
      takeSetupLink: (secret) => store.takeSetupLink(hashToken(secret), new Date()),
      async createOwner(workspaceId, userId, name, address) {
        const owner = await users.create(workspaceId, { userId, name, role: 1 });
        if (!owner) throw new Error('The id of the first owner is taken.');
        await audit.changed({
          caller: null,
          address,
          operation: 'setup.complete',
          target: userId,
          details: { name },
          outcome: 'done',
        });
        return owner;
      },
      openEnvelope,
      adoptToken: published.adoptToken,
    },
  });
  registerSetupPage(app);
  registerHealth(
    app,
    {
      sessions: () => ({
        active: gateway.sessions.all().filter(({ open }) => open > 0).length,
        total: gateway.sessions.count(),
      }),
      servers: () =>
        Object.fromEntries(
          registry
            .all('default')
            .map(({ server: { workspaceId, serverId, enabled } }) => [
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
