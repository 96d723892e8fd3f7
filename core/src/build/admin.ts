import type { Handlers, LaunchConfig } from '@peta/api';
import type { FastifyInstance } from 'fastify';
import { createAuditLog } from '../admin/audit.ts';
import { createCapabilities } from '../admin/capabilities.ts';
import { createEndpoints } from '../admin/endpoints.ts';
import { registerActions } from '../admin/io/actions.ts';
import { registerHealth } from '../admin/io/health.ts';
import { postgresEndpoints } from '../admin/io/postgres-endpoints.ts';
import { postgresProxy } from '../admin/io/postgres-proxy.ts';
import { postgresPublished } from '../admin/io/postgres-published.ts';
import { postgresServers } from '../admin/io/postgres-servers.ts';
import { postgresSetup } from '../admin/io/postgres-setup.ts';
import { postgresTokens } from '../admin/io/postgres-tokens.ts';
import { postgresUsers } from '../admin/io/postgres-users.ts';
import { registerRest } from '../admin/io/rest.ts';
import { registerSetupPage } from '../admin/io/setup-page.ts';
import { createMe } from '../admin/me.ts';
import { createProxy } from '../admin/proxy.ts';
import { type Asker, createRunner, listOperations } from '../admin/run.ts';
import { createServers } from '../admin/servers.ts';
import { createSetup } from '../admin/setup.ts';
import { createTokens } from '../admin/tokens.ts';
import { createUsers } from '../admin/users.ts';
import type { Database } from '../db/db.ts';
import { isDatabaseUnavailable, withDatabase } from '../db/unavailable.ts';
import type { Route } from '../http/io/app.ts';
import type { Log } from '../lib/log.ts';
import { listRecords } from '../path/audit/io/query.ts';
import { everythingIn } from '../path/catalog/variants.ts';
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
  const setup = postgresSetup(db);
  const published = postgresPublished(db);

  const ports = {
    store: servers,
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
  const userHandlers = createUsers(users, publish);
  const serverHandlers = createServers(ports);

  const handlers: Handlers<Asker> = {
    users: userHandlers,
    me: createMe(users, publish),
    servers: serverHandlers,
    capabilities: createCapabilities(ports),
    endpoints: createEndpoints({ store: postgresEndpoints(db), servers, collisions: gateway.collisions, publish }),
    tokens: createTokens(tokens, users, publish),
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
    setup: createSetup({ store: setup, publish, baseUrl }),
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
    encryptedTokens: (workspaceId) => withDatabase(() => published.encryptedTokens(workspaceId)),
    keepEnvelope: (...envelope) => withDatabase(() => published.keepEnvelope(...envelope)),
    publicOwner: (workspaceId) => withDatabase(() => published.publicOwner(workspaceId)),
    users: {
      openEnvelope,
      adoptToken: (...token) => withDatabase(() => published.adoptToken(...token)),
      useSetupLink: (hash, now, use) => withDatabase(() => setup.useSetupLink(hash, now, use)),
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
