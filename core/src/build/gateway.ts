import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { LaunchConfig } from '@peta/api';
import { and, eq } from 'drizzle-orm';
import type { FastifyInstance } from 'fastify';
import type { Admitted, Arrival, Caller, CapabilityKind, JsonObject, ServerRecord } from '#call';
import type { Bus, Change } from '../cluster/bus.ts';
import type { Config } from '../config.ts';
import { type Database, schema } from '../db/db.ts';
import { withDatabase } from '../db/unavailable.ts';
import { type Log, sentenceOf } from '../lib/log.ts';
import { createRateLimit } from '../lib/rate-limit.ts';
import { createAudit } from '../path/audit/audit.ts';
import { createDrain } from '../path/audit/io/drain.ts';
import { openJournal } from '../path/audit/io/journal.ts';
import { createCatalog } from '../path/catalog/catalog.ts';
import { pickSelected } from '../path/catalog/endpoint.ts';
import { createEndpoints, type EndpointRecord } from '../path/catalog/endpoints.ts';
import { postgresEndpoints } from '../path/catalog/io/postgres-endpoints.ts';
import { postgresServers } from '../path/catalog/io/postgres-servers.ts';
import { nameAll } from '../path/catalog/naming.ts';
import { createRegistry } from '../path/catalog/registry.ts';
import type { Connection } from '../path/downstream/connection.ts';
import { createDownstream } from '../path/downstream/downstream.ts';
import { ServerUnavailable } from '../path/downstream/errors.ts';
import { createEraMemory } from '../path/downstream/handshake.ts';
import { openConnection } from '../path/downstream/io/open.ts';
import { collectListing } from '../path/downstream/listing.ts';
import { createParking } from '../path/downstream/parking.ts';
import { createQuiet } from '../path/downstream/quiet.ts';
import { createTickets } from '../path/downstream/tickets.ts';
import { createWatching } from '../path/downstream/watching.ts';
import { createEdge, type EdgeParts } from '../path/edge/edge.ts';
import { sessionful } from '../path/edge/eras/2025-11-25.ts';
import { stateless } from '../path/edge/eras/2026-07-28.ts';
import { createHttpEntry } from '../path/edge/io/http.ts';
import { createLive } from '../path/edge/live.ts';
import { createIdentity, MACHINE } from '../path/identity/identity.ts';
import { createLastUsed, postgresTokens } from '../path/identity/io/postgres-tokens.ts';
import { createPath } from '../path/path.ts';
import { allows, allowsServer } from '../path/policy/layers.ts';
import { createPolicy } from '../path/policy/policy.ts';
import { createSessions } from '../path/session/sessions.ts';
import { startProcess } from '../runtime/io/process.ts';
import { createReaper } from '../runtime/io/reaper.ts';
import { createRuntime, type ServerKey } from '../runtime/runtime.ts';
import { followChanges } from './changes.ts';
import { registerMcp } from './mcp-routes.ts';
import { keepAtEndpoint } from './session-endpoint.ts';
import { buildTasks, taskSupport } from './tasks.ts';

export type GatewayOptions = {
  config: Config;
  home: string;
  db: Database;
  bus: Bus;
  log: Log;
  product: { name: string; title: string; version: string };
  instanceId: string;
  machineKeyHash: string;
  /** Secret, the same on every replica: seals and marks what clients hold for us. */
  sessionKey: Buffer;
  /** Opens a sealed launch configuration. */
  openConfig(workspaceId: string, serverId: string, sealed: string): LaunchConfig;
};

const QUIET_MS = 15_000;
const LIST_TIMEOUT_MS = 30_000;
/** How long a list waits for servers that have never been asked. */
const LEARN_MS = 5_000;
const MAX_BUFFERED_BYTES = 32 * 1024 * 1024;
const SWEEP_MS = 30_000;
const LAST_USED_MS = 60_000;

const INSTRUCTIONS =
  'Peta is a gateway to several MCP servers. The part of a tool or prompt name before "__" (or "::") names the server it belongs to.';

const within = (promise: Promise<unknown>, ms: number): Promise<void> =>
  Promise.race([promise, new Promise((done) => setTimeout(done, ms).unref())]).then(() => undefined);

/** Everything a call passes through, from HTTP to the servers and the log. */
export const buildGateway = async (options: GatewayOptions) => {
  const { config, home, db, bus, log, product, instanceId, machineKeyHash, sessionKey, openConfig } = options;
  const now = () => Date.now();
  const onFault = (error: unknown) =>
    log.error('A request failed', {
      reason: sentenceOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    });

  const registry = createRegistry(postgresServers(db));
  const endpoints = createEndpoints({
    store: postgresEndpoints(db),
    offers: registry,
    nameStyle: config.PETA_NAME_STYLE,
  });
  await Promise.all([registry.load(), endpoints.load()]);

  const reaper = createReaper();
  const eras = createEraMemory();
  const quiet = createQuiet();
  const questionTimeoutMs = config.PETA_QUESTION_TIMEOUT_SECONDS * 1000;
  const parking = createParking({ ttlMs: questionTimeoutMs });
  const runtime = createRuntime<Connection>({
    async open({ workspaceId, serverId }, ring, signal, capabilities) {
      const [row] = await withDatabase(() =>
        db
          .select({ sealed: schema.servers.sealedLaunchConfig })
          .from(schema.servers)
          .where(and(eq(schema.servers.workspaceId, workspaceId), eq(schema.servers.id, serverId))),
      );
      if (!row) throw new ServerUnavailable('The server is not registered any more.');
      const spawn = (wanted: Extract<LaunchConfig, { type: 'stdio' }>) =>
        startProcess(wanted, { ring, reaper, inherit: config.PETA_STDIO_ENV });
      const startTimeoutMs = config.PETA_START_TIMEOUT_SECONDS * 1000;
      const launch = openConfig(workspaceId, serverId, row.sealed);
      const onStray = (method: string, params: JsonObject) => {
        if (method === 'notifications/message') ring.add('peta', `The server logged: ${JSON.stringify(params)}`);
        if (!method.startsWith('notifications/')) quiet.surprised({ workspaceId, serverId });
      };
      const clientCapabilities = capabilities as JsonObject | undefined;
      const notice = (sentence: string) => ring.add('peta', sentence);
      const about = { startTimeoutMs, product, eras, notice, clientCapabilities, onStray };
      return openConnection(launch, { spawn, signal, ...about });
    },
    onConnected: (key, connection) => void watching.connected(key, connection),
    collect: (connection) => collectListing(connection, LIST_TIMEOUT_MS),
    async onListing({ workspaceId, serverId }, listing) {
      const isNew = await registry.learnt(workspaceId, serverId, listing);
      if (isNew) await changes.publish({ topic: 'listing', workspaceId, id: serverId });
    },
    unavailable: (reason) => new ServerUnavailable(reason),
    startTimeoutMs: config.PETA_START_TIMEOUT_SECONDS * 1000 + 1_000,
    maxInstances: config.PETA_MAX_INSTANCES,
    log,
  });
  const watching = createWatching({ use: runtime.use });

  const journal = await openJournal({
    folder: join(home, 'journal'),
    fsync: config.AUDIT_FSYNC === 'always',
    onAppended: () => drain.nudge(),
  });
  const drain = createDrain({ db, folder: join(home, 'journal'), instanceId, head: journal.position, log });
  const audit = createAudit({ journal, now });

  const lastUsed = createLastUsed(db, { everyMs: LAST_USED_MS, log });
  const store = postgresTokens(db);
  const identity = createIdentity({
    store: {
      byHash: (hash) => withDatabase(() => store.byHash(hash)),
      byId: (tokenId) => withDatabase(() => store.byId(tokenId)),
    },
    endpoints,
    machineKeyHash,
    now,
    touched: lastUsed.touched,
  });

  const sessions = createSessions({
    now,
    idleMs: config.PETA_SESSION_IDLE_SECONDS * 1000,
    onEnd: ({ id }) => {
      withSessions.ended(id);
      runtime.forget(id);
    },
  });
  const catalog = createCatalog({
    offers: registry,
    endpoints,
    allows: (server: ServerRecord, { caller, client }: Admitted, kind: CapabilityKind, name: string) =>
      allows(server, caller, client.name, kind, name).allowed,
    allowsServer: (server, { caller, client }) => allowsServer(server, caller, client.name).allowed,
    learn: (workspaceId, serverIds) =>
      within(Promise.all(serverIds.map((serverId) => runtime.listed({ workspaceId, serverId }))), LEARN_MS),
  });
  const { reaches } = catalog;
  const kept = buildTasks({ db, key: sessionKey, reaches, now, pageSize: config.PETA_PAGE_SIZE, log });
  const path = createPath({
    identity,
    session: sessions,
    catalog,
    tasks: kept.tasks,
    policy: createPolicy({ server: registry.server, take: createRateLimit(now) }),
    downstream: createDownstream({
      use: (key, run, want) =>
        want
          ? runtime.lend(key, want, (connection, bind) => run({ connection, bind }))
          : runtime.use(key, (connection) => run({ connection, bind: () => {} })),
      watch: watching.watch,
      support: taskSupport(registry),
      callTimeoutMs: config.PETA_CALL_TIMEOUT_SECONDS * 1000,
      tickets: createTickets({ key: sessionKey, now, ttlMs: questionTimeoutMs }),
      parking,
      quiet,
      processId: randomUUID(),
    }),
    audit,
  });

  const live = createLive({ readmit: path.readmit, digests: (admitted) => catalog.currentView(admitted).digests });
  const parts: EdgeParts = {
    path,
    live,
    product: { ...product, instructions: INSTRUCTIONS },
    shownTools: (admitted) => catalog.currentView(admitted).tools,
    pageSize: config.PETA_PAGE_SIZE,
    quietMs: QUIET_MS,
    questionTimeoutMs,
    rootsChanged: (sessionId) => runtime.tell(sessionId, 'notifications/roots/list_changed'),
  };
  const withSessions = sessionful(parts, sessions);
  const serve = createEdge([stateless(parts), withSessions]);
  const entry = createHttpEntry({
    serve: keepAtEndpoint(sessionKey, serve),
    maxBodyBytes: config.PETA_MAX_BODY_BYTES,
    maxBufferedBytes: MAX_BUFFERED_BYTES,
    onFault,
  });

  const changes = followChanges({ bus, registry, endpoints, runtime, identity, live, log });
  const sweeping = setInterval(() => sessions.sweep(), SWEEP_MS);
  sweeping.unref();

  /** The caller behind a bearer token at the administrative surfaces; refusals are written down. */
  const authenticate = async (bearer: string | undefined, endpoint: string, address: string) => {
    const arrival: Arrival = { bearer, endpoint, address, sessionId: undefined, client: undefined };
    const caller = await identity.identify(arrival);
    if ('code' in caller) await audit.refusedAtDoor(arrival, caller);
    return caller;
  };

  return {
    audit,
    runtime,
    registry,
    sessions,
    authenticate,
    onFault,
    publish: (change: Change) => changes.publish(change),
    /** Waits, not long, until what was recorded so far can be read. */
    flushAudit: () => drain.flush(2_000),

    /** By the first two layers, for any client; without a caller, by the server's own layer alone. */
    allows: (
      { workspaceId, serverId }: ServerKey,
      caller: Caller | null,
      kind: CapabilityKind,
      name: string,
    ): boolean => {
      const server = registry.server(workspaceId, serverId);
      return server !== undefined && allows(server, caller ?? MACHINE, '', kind, name).allowed;
    },
    allowsServer: ({ workspaceId, serverId }: ServerKey, caller: Caller): boolean => {
      const server = registry.server(workspaceId, serverId);
      return server !== undefined && allowsServer(server, caller, '').allowed;
    },

    /** What collides in a selection, by what its servers last listed. */
    collisions: (workspaceId: string, { nameStyle, selection }: Pick<EndpointRecord, 'nameStyle' | 'selection'>) =>
      nameAll(pickSelected(selection, registry.all(workspaceId)), nameStyle).collisions,

    register: (app: FastifyInstance): Promise<void> =>
      registerMcp(app, { isOpen: endpoints.isOpen, authenticate, entry }),

    /** Starts what is to run from the start, and asks servers that have never been listed. */
    startServers(): void {
      for (const { server, listing } of registry.all('default'))
        if (server.enabled && (!server.lazyStartEnabled || !listing))
          void runtime.listed({ workspaceId: server.workspaceId, serverId: server.serverId });
    },

    /** Lets calls that run finish, at most for `timeoutMs`, then ends everything open. */
    async drain(timeoutMs: number): Promise<void> {
      live.endStreams();
      for (const deadline = now() + timeoutMs; live.count() > 0 && now() < deadline; )
        await new Promise((done) => setTimeout(done, 20));
      live.endAll();
    },

    async close(): Promise<void> {
      clearInterval(sweeping);
      kept.close();
      changes.close();
      parking.close();
      await runtime.stopAll();
      reaper.close();
      await audit.system('stop', {}).catch(() => {});
      await drain.close();
      await journal.close();
      await lastUsed.close();
    },
  };
};

export type Gateway = Awaited<ReturnType<typeof buildGateway>>;
