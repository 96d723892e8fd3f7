import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { LaunchConfig } from '@peta/api';
import type { FastifyInstance } from 'fastify';
import type { Admitted, Arrival, Caller, CapabilityKind, ServerRecord } from '#call';
import type { Bus, Change } from '../cluster/bus.ts';
import type { Config } from '../config.ts';
import type { Database } from '../db/db.ts';
import { type Log, sentenceOf } from '../lib/log.ts';
import { createRateLimit } from '../lib/rate-limit.ts';
import { atMost } from '../lib/sleep.ts';
import { createAudit } from '../path/audit/audit.ts';
import { createDrain } from '../path/audit/io/drain.ts';
import { openJournal } from '../path/audit/io/journal.ts';
import { createCatalog } from '../path/catalog/catalog.ts';
import { pickSelected } from '../path/catalog/endpoint.ts';
import { createEndpoints, type EndpointRecord } from '../path/catalog/endpoints.ts';
import { postgresEndpoints } from '../path/catalog/io/postgres-endpoints.ts';
import { postgresServers } from '../path/catalog/io/postgres-servers.ts';
import { kindsOf } from '../path/catalog/kinds.ts';
import { nameAll } from '../path/catalog/naming.ts';
import { createRegistry } from '../path/catalog/registry.ts';
import { isExplored } from '../path/catalog/variants.ts';
import { createDownstream } from '../path/downstream/downstream.ts';
import { createElsewhere } from '../path/downstream/elsewhere.ts';
import { createParking } from '../path/downstream/parking.ts';
import { createTickets } from '../path/downstream/tickets.ts';
import { createWaiting } from '../path/downstream/waiting.ts';
import { createEdge, type EdgeParts } from '../path/edge/edge.ts';
import { sessionful } from '../path/edge/eras/2025-11-25.ts';
import { stateless } from '../path/edge/eras/2026-07-28.ts';
import { createHttpEntry } from '../path/edge/io/http.ts';
import { createSseEntry } from '../path/edge/io/sse.ts';
import { createLive } from '../path/edge/live.ts';
import { MACHINE } from '../path/identity/identity.ts';
import { createPath } from '../path/path.ts';
import { allows, allowsServer } from '../path/policy/layers.ts';
import { createPolicy } from '../path/policy/policy.ts';
import { hashOfSession } from '../path/session/sessions.ts';
import { NO_HOLD } from '../runtime/pool.ts';
import type { ServerKey } from '../runtime/runtime.ts';
import type { Note } from '../sign-in/io/browser.ts';
import { tokenIdOf } from '../sign-in/io/postgres-sign-ins.ts';
import { followChanges } from './changes.ts';
import { buildIdentity, type CredentialStore } from './credentials.ts';
import { createExplorer } from './explore.ts';
import { registerMcp } from './mcp-routes.ts';
import { buildServers } from './servers.ts';
import { buildSessions } from './sessions.ts';
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
  /** Kinds of credential beside service tokens. */
  credentials: readonly CredentialStore[];
  /** Where a client that reached this endpoint under this host finds out how to get a token for it. */
  metadataUrl(endpoint: string, host: string | undefined): string;
  /** Opens a sealed launch configuration. */
  openConfig(workspaceId: string, serverId: string, sealed: string): LaunchConfig;
};

/** How long a list waits for servers that have never been asked, or not yet as for such a client. */
const LEARN_MS = 5_000;
const MAX_BUFFERED_BYTES = 32 * 1024 * 1024;
/** How often what is open is looked at for callers whose time is over. */
const ENDS_MS = 500;

const INSTRUCTIONS =
  'Peta is a gateway to several MCP servers. The part of a tool or prompt name before "__" (or "::") names the server it belongs to.';

/** Everything a call passes through, from HTTP to the servers and the log. */
export const buildGateway = async (options: GatewayOptions) => {
  const { config, home, db, bus, log, product, instanceId, machineKeyHash, sessionKey } = options;
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

  const questionTimeoutMs = config.PETA_QUESTION_TIMEOUT_SECONDS * 1000;
  const parking = createParking({ ttlMs: questionTimeoutMs });
  const { runtime, watching, quiet, closeServers } = buildServers({
    ...options,
    async onListing({ workspaceId, serverId }, listing, capabilities = {}) {
      const isNew = await registry.learnt(workspaceId, serverId, listing, kindsOf(capabilities));
      if (isNew) await changes.publish({ topic: 'listing', workspaceId, id: serverId });
    },
  });

  const journal = await openJournal({
    folder: join(home, 'journal'),
    fsync: config.AUDIT_FSYNC === 'always',
    onAppended: () => drain.nudge(),
  });
  const drain = createDrain({ db, folder: join(home, 'journal'), instanceId, head: journal.position, log });
  const audit = createAudit({ journal, now });

  const { identity, lastUsed } = buildIdentity({
    db,
    log,
    endpoints,
    machineKeyHash,
    now,
    credentials: options.credentials,
  });

  const processId = randomUUID();
  const { sessions, streams, mail, closeSessions } = await buildSessions({
    ...options,
    processId,
    onEnd: ({ id }) => {
      withSessions.ended(id);
      runtime.forget(id);
    },
    onChanged: (hash) => changes.publish({ topic: 'session', workspaceId: '', id: hash }),
  });
  const waiting = createWaiting(parking);
  const explore = createExplorer({
    ask: runtime.explore,
    isExplored({ workspaceId, serverId, revision }, kinds) {
      const listing = registry.get(workspaceId, serverId)?.listing;
      return listing !== undefined && isExplored(listing, revision, kinds);
    },
    waitMs: LEARN_MS,
    now,
    log,
  });
  const catalog = createCatalog({
    offers: registry,
    endpoints,
    allows: (server: ServerRecord, { caller, client }: Admitted, kind: CapabilityKind, name: string) =>
      allows(server, caller, client.name, kind, name).allowed,
    allowsServer: (server, { caller, client }) => allowsServer(server, caller, client.name).allowed,
    learn: (workspaceId, serverIds) =>
      atMost(LEARN_MS, Promise.all(serverIds.map((serverId) => runtime.listed({ workspaceId, serverId })))),
    explore,
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
          ? runtime.lend(key, want, (connection, hold) => run({ connection, ...hold }))
          : runtime.use(key, (connection) => run({ connection, ...NO_HOLD })),
      watch: watching.watch,
      support: taskSupport(registry),
      callTimeoutMs: config.PETA_CALL_TIMEOUT_SECONDS * 1000,
      tickets: createTickets({ key: sessionKey, now, ttlMs: questionTimeoutMs }),
      waiting,
      elsewhere: createElsewhere({ mail, processId, isAlive: streams.isAlive, advance: waiting.advance }),
      quiet,
      processId,
    }),
    audit,
  });

  const live = createLive({ readmit: path.readmit, digests: (admitted) => catalog.currentView(admitted).digests });
  // A token or a person may come to an end while something of theirs is open. Who cannot be looked up is, in a moment.
  const isOver = ({ caller: { endsAt } }: Admitted): boolean => endsAt !== null && endsAt <= now();
  const ending = setInterval(() => void live.recheck(isOver).catch(() => {}), ENDS_MS);
  ending.unref();
  const parts: EdgeParts = {
    path,
    live,
    product: { ...product, instructions: INSTRUCTIONS },
    shownTools: (admitted) => catalog.currentView(admitted).tools,
    pageSize: config.PETA_PAGE_SIZE,
    quietMs: config.PETA_KEEPALIVE_SECONDS * 1000,
    questionTimeoutMs,
    rootsChanged: (sessionId, answer) => runtime.tell(sessionId, (connection) => connection.rootsChanged(answer)),
  };
  const cancel = (id: string, requestId: string) =>
    changes.publish({ topic: 'cancel', workspaceId: hashOfSession(id), id: requestId });
  const withSessions = sessionful({ ...parts, streamStore: streams, onFault, processId, mail, cancel }, sessions);
  const serve = createEdge([stateless(parts), withSessions]);
  const entryOptions = {
    serve,
    maxBodyBytes: config.PETA_MAX_BODY_BYTES,
    maxBufferedBytes: MAX_BUFFERED_BYTES,
    onFault,
    metadataUrl: options.metadataUrl,
  };
  const entry = createHttpEntry(entryOptions);
  const sse = createSseEntry({ ...entryOptions, quietMs: parts.quietMs });

  const sessionChanged = async (hash: string): Promise<void> => {
    const session = await sessions.refresh(hash);
    if (session) await withSessions.changed(session);
  };
  /** Sessions whose workspace is gone end as soon as they are looked for. */
  const workspaceChanged = async (workspaceId: string): Promise<void> => {
    for (const session of sessions.all())
      if (session.workspaceId === workspaceId) await sessionChanged(hashOfSession(session.id));
  };
  const cancelled = (hash: string, requestId: string): void => {
    const session = sessions.byHash(hash);
    if (session) withSessions.cancelled(session.id, requestId);
  };
  const remembering = { registry, endpoints, runtime, identity, live, quiet };
  const changes = followChanges({ bus, mail, sessionChanged, workspaceChanged, cancelled, ...remembering, log });

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
    /** The caller of a credential that was proved elsewhere, such as a browser's sign-in. */
    callerOf: identity.byTokenId,
    noteSignIn: ({ signInId, details = {}, ...note }: Note): Promise<void> =>
      audit.signIn({ ...note, details, tokenId: signInId === undefined ? null : tokenIdOf(signInId) }),
    onFault,
    publish: (change: Change) => changes.publish(change),
    /** Waits, not long, until what was recorded so far can be read. */
    flushAudit: () => drain.flush(2_000),

    /** By the first two layers, for any client; without a caller, by the server's own layer alone. */
    allows: (key: ServerKey, caller: Caller | null, kind: CapabilityKind, name: string): boolean => {
      const server = registry.server(key.workspaceId, key.serverId);
      return server !== undefined && allows(server, caller ?? MACHINE, '', kind, name).allowed;
    },
    allowsServer: (key: ServerKey, caller: Caller): boolean => {
      const server = registry.server(key.workspaceId, key.serverId);
      return server !== undefined && allowsServer(server, caller, '').allowed;
    },

    /** What collides in a selection, by what its servers last listed. */
    collisions: (workspaceId: string, { nameStyle, selection }: Pick<EndpointRecord, 'nameStyle' | 'selection'>) =>
      nameAll(pickSelected(selection, registry.all(workspaceId)), nameStyle).collisions,

    register: (app: FastifyInstance): Promise<void> =>
      registerMcp(app, { metadataUrl: options.metadataUrl, authenticate, entry, sse }),

    /** Starts what is to run from the start, and asks servers of which not everything is known that is kept. */
    startServers(): void {
      for (const { server, listing } of registry.everything())
        if (server.enabled && (!server.lazyStartEnabled || !listing?.capabilities))
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
      clearInterval(ending);
      kept.close();
      changes.close();
      parking.close();
      await closeServers();
      await closeSessions();
      await audit.system('stop', {}).catch(() => {});
      await drain.close();
      await journal.close();
      await lastUsed.close();
    },
  };
};

export type Gateway = Awaited<ReturnType<typeof buildGateway>>;
