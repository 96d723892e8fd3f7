import { createHmac } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LaunchConfig } from '@peta/api';
import { postgresSetup } from './admin/io/postgres-setup.ts';
import { postgresUsers } from './admin/io/postgres-users.ts';
import { createSetupLink } from './admin/setup.ts';
import { buildAdmin } from './build/admin.ts';
import { buildGateway, type Gateway } from './build/gateway.ts';
import { buildOAuth, buildOAuthIdentity } from './build/oauth.ts';
import { buildScim } from './build/scim.ts';
import { buildSignIn } from './build/sign-in.ts';
import { buildProviderTest, buildSso } from './build/sso.ts';
import { createPostgresBus } from './cluster/io/postgres-bus.ts';
import { type Config, isLoopback } from './config.ts';
import { openDatabase } from './db/open.ts';
import { createApp } from './http/io/app.ts';
import { createGuardedFetch } from './lib/io/guarded-fetch.ts';
import { createLog } from './lib/io/pino-log.ts';
import type { Log } from './lib/log.ts';
import { newSecret } from './lib/token.ts';
import { FIRST_WORKSPACE } from './path/call.ts';
import { readMasterKey } from './path/vault/io/master-key.ts';
import { createSealer } from './path/vault/seal.ts';

/** A Peta that runs. */
export type Peta = {
  url: string;
  mcpUrl: string;
  home: string;
  /** Where the owner begins; null once there is an owner. */
  setupLink: string | null;
  /** Lets calls that run finish, for a bounded time, then ends everything that was started. */
  stop(): Promise<void>;
  /** Resolves once it has stopped, for whatever reason; with a sentence when that was not asked for. */
  closed: Promise<string | undefined>;
};

type Options = { config: Config; version: string };

const DRAIN_MS = 7_000;
/** What others may have Peta fetch: metadata of clients, of identity providers, their keys. */
const MAX_FETCHED_BYTES = 1024 * 1024;
const FETCH_TIMEOUT_MS = 10_000;

/** What the `peta` command on this machine finds the running Peta by: readable by its owner alone. */
const writeMachineFile = async (home: string, content: object): Promise<string> => {
  const file = join(home, 'admin.json');
  await rm(file, { force: true });
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  return file;
};

const listenError = (error: unknown, { PETA_HOST, BACKEND_PORT }: Config): Error => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return new Error(
      `The port ${BACKEND_PORT} is in use. Stop what uses it, or set BACKEND_PORT to another (0 takes a free one).`,
    );
  if (code === 'EADDRNOTAVAIL') return new Error(`This machine has no address ${PETA_HOST}: check PETA_HOST.`);
  if (code === 'EACCES')
    return new Error(`The port ${BACKEND_PORT} may only be used by root: set BACKEND_PORT to one above 1023.`);
  return error instanceof Error ? error : new Error(String(error));
};

/** Builds every object and wires it. Throws an error whose message is a sentence for whoever starts Peta. */
export const startPeta = async ({ config, version }: Options): Promise<Peta> => {
  const log: Log = createLog(config);
  const home = resolve(config.PETA_HOME);
  const product = { name: 'peta', title: 'Peta', version };
  const machineKey = newSecret('petamachine_');
  const undo: (() => unknown)[] = [];
  let tellClosed: (reason: string | undefined) => void = () => {};
  const closed = new Promise<string | undefined>((done) => {
    tellClosed = done;
  });
  let stopping: Promise<void> | undefined;
  let baseUrl = '';

  const unwind = async () => {
    for (const step of undo.splice(0).reverse())
      await Promise.resolve(step()).catch((error: unknown) =>
        log.warn('A part did not stop cleanly', { reason: String(error) }),
      );
  };
  const stop = (reason?: string): Promise<void> => {
    stopping ??= unwind().then(() => tellClosed(reason));
    return stopping;
  };

  try {
    const database = await openDatabase({
      databaseUrl: config.DATABASE_URL,
      home,
      log,
      onLost: (reason) => void stop(reason),
    });
    undo.push(database.close);
    const { db } = database;
    const bus = await createPostgresBus({ url: database.url, log });
    undo.push(bus.close);
    const masterKey = await readMasterKey({ home, secret: config.JWT_SECRET });
    const sealer = createSealer(masterKey);
    const openConfig = (workspaceId: string, serverId: string, sealed: string) =>
      LaunchConfig.parse(
        JSON.parse(
          sealer.open(sealed, { workspaceId, table: 'server', row: serverId, column: 'sealed_launch_config' }),
        ),
      );

    const sessionKey = createHmac('sha256', masterKey).update('what clients hold for us').digest();
    const oauthIdentity = buildOAuthIdentity({ config, db, sealer, baseUrl: () => baseUrl });
    const fetch = createGuardedFetch({
      privateHosts: config.PETA_PRIVATE_HOSTS,
      maxBytes: MAX_FETCHED_BYTES,
      timeoutMs: FETCH_TIMEOUT_MS,
    });

    const gateway: Gateway = await buildGateway({
      config,
      home,
      db,
      bus,
      log,
      product,
      instanceId: database.instanceId,
      machineKeyHash: machineKey.hash,
      sessionKey,
      credentials: [oauthIdentity.accessTokens],
      metadataUrl: oauthIdentity.metadataUrl,
      openConfig,
    });
    undo.push(gateway.close);

    const { app, routes } = await createApp({
      hosts: {
        allowedHosts: [
          ...config.PETA_ALLOWED_HOSTS,
          ...(config.PETA_HOST === '0.0.0.0' ? [] : [config.PETA_HOST]),
          ...(config.PETA_PUBLIC_URL === undefined ? [] : [new URL(config.PETA_PUBLIC_URL).hostname]),
        ],
        allowedOrigins: [
          ...config.PETA_ALLOWED_ORIGINS,
          ...(config.PETA_PUBLIC_URL === undefined ? [] : [new URL(config.PETA_PUBLIC_URL).origin]),
        ],
      },
      tls: config.ENABLE_HTTPS
        ? { certPath: config.SSL_CERT_PATH ?? '', keyPath: config.SSL_KEY_PATH ?? '' }
        : undefined,
      maxBodyBytes: config.PETA_MAX_BODY_BYTES,
      onFault: gateway.onFault,
    });
    await gateway.register(app);
    const publicUrl = () => (config.PETA_PUBLIC_URL ?? baseUrl).replace(/\/$/, '');
    const signIn = buildSignIn({
      db,
      log,
      key: createHmac('sha256', masterKey).update('signing in').digest(),
      sealer,
      publish: gateway.publish,
      follow: bus.subscribe,
      note: gateway.noteSignIn,
      baseUrl: publicUrl,
      providers: (workspaceId) => sso.providers(workspaceId),
      programs: {
        list: (person) => oauth.programs.list(person),
        end: (person, id) => oauth.programs.end(person, id),
      },
    });
    undo.push(signIn.close);
    signIn.register(app);
    const sso = buildSso({
      ...{ app, db, sealer, fetch, publish: gateway.publish, note: gateway.noteSignIn, now: Date.now },
      signIns: signIn,
      baseUrl: publicUrl,
    });
    const oauth = await buildOAuth(app, {
      ...{ config, db, sealer, log, gateway, sessionKey, identity: oauthIdentity },
      signIns: signIn,
      fetch,
    });
    undo.push(oauth.close);
    buildAdmin(app, {
      signIn,
      publicUrl,
      db,
      log,
      version,
      gateway,
      routes,
      seal: ({ workspaceId, serverId }, launchConfig) =>
        sealer.seal(JSON.stringify(launchConfig), {
          workspaceId,
          table: 'server',
          row: serverId,
          column: 'sealed_launch_config',
        }),
      oauth,
      identityProviders: {
        seal: ({ workspaceId, providerId }, secret) =>
          sealer.seal(secret, { workspaceId, table: 'identity_provider', row: providerId, column: 'sealed_secret' }),
        test: buildProviderTest({ db, sealer, fetch, now: Date.now }),
      },
      baseUrl: () => baseUrl,
      shutdown: () => void setTimeout(() => void stop(), 100),
    });

    await buildScim(app, { db, gateway, baseUrl: publicUrl });

    const address = await app.listen({ host: config.PETA_HOST, port: config.BACKEND_PORT }).catch((error: unknown) => {
      throw listenError(error, config);
    });
    undo.push(() => app.close());
    undo.push(() => gateway.drain(DRAIN_MS));
    const port = new URL(address).port || (config.ENABLE_HTTPS ? '443' : '80');
    const host = isLoopback(config.PETA_HOST) || config.PETA_HOST === '0.0.0.0' ? '127.0.0.1' : config.PETA_HOST;
    baseUrl = `${config.ENABLE_HTTPS ? 'https' : 'http'}://${host}:${port}`;
    const mcpUrl = `${baseUrl}/mcp`;

    const machineFile = await writeMachineFile(home, {
      url: baseUrl,
      mcpUrl,
      token: machineKey.secret,
      pid: process.pid,
    });
    undo.push(() => rm(machineFile, { force: true }));
    const hasOwner = (await postgresUsers(db).owner(FIRST_WORKSPACE)) !== undefined;
    const link = hasOwner
      ? null
      : await createSetupLink({ store: postgresSetup(db), baseUrl: () => baseUrl }, FIRST_WORKSPACE);
    await gateway.audit.system('start', { version, home });
    gateway.startServers();
    return { url: baseUrl, mcpUrl, home, setupLink: link?.setupLink ?? null, stop: () => stop(), closed };
  } catch (error) {
    await unwind();
    throw error;
  }
};
