import { createHmac } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Provider from 'oidc-provider';
import { postgresOAuth } from '../admin/io/postgres-oauth.ts';
import type { Config } from '../config.ts';
import { type Database, storeAcrossWorkspaces } from '../db/db.ts';
import { withDatabase } from '../db/unavailable.ts';
import { type Log, sentenceOf } from '../lib/log.ts';
import { networkOf } from '../lib/network.ts';
import { createRateLimit } from '../lib/rate-limit.ts';
import { hashToken } from '../lib/token.ts';
import { createAccessTokens, looksSigned } from '../oauth/io/access-tokens.ts';
import { createDevicePages, showPage } from '../oauth/io/device-pages.ts';
import { registerInteraction } from '../oauth/io/interaction.ts';
import { noteEverything } from '../oauth/io/noting.ts';
import { createClients } from '../oauth/io/postgres-clients.ts';
import { createRecords } from '../oauth/io/postgres-records.ts';
import { createProvider } from '../oauth/io/provider.ts';
import { registerOAuth } from '../oauth/io/routes.ts';
import { createSigningKeys, type SigningKey } from '../oauth/io/signing-keys.ts';
import type { Exchangeable } from '../oauth/io/token-exchange.ts';
import type { Note, Sealer, SignedIn } from '../oauth/ports.ts';
import { createRedirectRules } from '../oauth/redirects.ts';
import { createResources } from '../oauth/resources.ts';
import { scopesOf } from '../oauth/scopes.ts';
import { postgresPeople, postgresTokens } from '../path/identity/io/postgres-tokens.ts';
import { isEnabled, namedCaller } from '../path/identity/person.ts';
import { html } from '../web/io/page.ts';
import type { Gateway } from './gateway.ts';

const DAY_MS = 86_400_000;
const KEY_MS = 30 * DAY_MS;
const LOOK_MS = 60_000;
const SWEEP_MS = 10 * 60_000;
const FETCHES_PER_MINUTE = 20;

type IdentityOptions = {
  config: Config;
  db: Database;
  sealer: Sealer;
  /** Where this process listens. */
  baseUrl(): string;
};

/** What verifies access tokens: it is there before the gateway is. */
export const buildOAuthIdentity = ({ config, db, sealer, baseUrl }: IdentityOptions) => {
  const resources = createResources({
    publicUrl: () => config.PETA_PUBLIC_URL ?? baseUrl(),
    isDerived: config.PETA_PUBLIC_URL === undefined,
  });
  const keys = createSigningKeys({ db, sealer, now: Date.now, rotateMs: KEY_MS });
  const serviceTokens = postgresTokens(db);
  const people = postgresPeople(db);
  const tokens = createAccessTokens({
    db,
    keys,
    resources,
    now: Date.now,
    origin: serviceTokens.byId,
    person: people.find,
  });
  const accessTokens = {
    ...tokens,
    byBearer: (bearer: string) =>
      looksSigned(bearer) ? withDatabase(() => tokens.byBearer(bearer)) : Promise.resolve(undefined),
    byId: (tokenId: string) => withDatabase(() => tokens.byId(tokenId)),
  };

  /** A service token or an access token, for the exchange grant. */
  const exchangeable = async (token: string): Promise<Exchangeable | undefined> => {
    const isSigned = looksSigned(token);
    const row = (await accessTokens.byBearer(token)) ?? (await serviceTokens.byBearer(token, hashToken(token)));
    const isPast = (at: Date | null) => at !== null && at.getTime() <= Date.now();
    if (!row || isPast(row.expiresAt) || isPast(row.revokedAt) || !isEnabled(row, Date.now())) return undefined;
    const claims = isSigned ? await tokens.verified(token) : undefined;
    return {
      ...{ workspaceId: row.workspaceId, userId: row.userId, tokenId: row.tokenId, expiresAt: row.expiresAt },
      endpoints: row.scope.endpoints,
      scopes: claims && scopesOf(String(claims.scope ?? '')),
      clientId: claims && String(claims.client_id),
      act: claims?.act,
    };
  };

  return {
    resources,
    keys,
    accessTokens,
    exchangeable,
    metadataUrl(endpoint: string, host: string | undefined): string {
      const { origin, pathname } = new URL(resources.resourceOf(endpoint, host));
      return `${origin}/.well-known/oauth-protected-resource${pathname}`;
    },
  };
};

type OAuthIdentity = ReturnType<typeof buildOAuthIdentity>;

export type OAuthOptions = {
  config: Config;
  db: Database;
  sealer: Sealer;
  log: Log;
  identity: OAuthIdentity;
  gateway: Pick<Gateway, 'publish'> & { audit: Pick<Gateway['audit'], 'changed' | 'refusedAtDoor'> };
  /** Secret, the same on every replica. */
  sessionKey: Buffer;
  signIns: { current(request: FastifyRequest): Promise<SignedIn | undefined> };
  /** Fetches what others can steer: metadata documents of clients, and their keys. */
  fetch(url: string, init: RequestInit): Promise<Response>;
};

/** The authorization server on the application's routes. */
export const buildOAuth = async (app: FastifyInstance, options: OAuthOptions) => {
  const { config, db, sealer, log, gateway, sessionKey, signIns } = options;
  const { resources, keys, accessTokens, exchangeable } = options.identity;
  const { audit, publish } = gateway;
  const secretFor = (use: string): Buffer => createHmac('sha256', sessionKey).update(`oauth ${use}`).digest();
  const records = createRecords({
    db,
    sealer,
    revoked: (workspaceId, tokenId) => publish({ topic: 'token', workspaceId, id: tokenId }),
  });
  const clients = createClients({ db, sealer, address: () => Provider.ctx?.ip ?? null });
  const redirects = createRedirectRules(config.PETA_OAUTH_REDIRECT_PATTERNS);
  const take = createRateLimit(Date.now);
  const basePath = new URL(config.PETA_PUBLIC_URL ?? 'http://localhost').pathname.replace(/\/$/, '');

  const people = new WeakMap<IncomingMessage, SignedIn>();
  const remember = (request: IncomingMessage, person: SignedIn | undefined) => {
    if (person) people.set(request, person);
  };

  const note: Note = ({ account, address, operation, target, details, outcome, error }) =>
    audit.changed({
      caller: account && namedCaller(account.workspaceId, account.userId),
      ...{ address, operation, target, details, outcome },
      ...(error !== undefined && { error }),
    });

  const holders = postgresPeople(db);
  const isActive = async ({ workspaceId, userId }: { workspaceId: string; userId: string }): Promise<boolean> => {
    const person = await holders.find(workspaceId, userId);
    return person !== undefined && isEnabled(person, Date.now());
  };

  const make = (signingKeys: readonly SigningKey[]): Provider => {
    const made = createProvider({
      ...{ resources, keys: signingKeys, records, clients, redirects, isActive, exchangeable },
      cookieKeys: [secretFor('cookies').toString('base64url')],
      personOf: (request) => people.get(request),
      mayFetch: (address) => take(`document ${networkOf(address)}`, FETCHES_PER_MINUTE),
      fetch: options.fetch,
      devicePages: createDevicePages(basePath),
      renderError: (ctx, error, description) =>
        showPage(ctx, {
          title: 'This did not work',
          body: html`<h1>This did not work</h1><p>${description || error}</p><p class="soft">${error}</p>`,
        }),
    });
    noteEverything(made, {
      note,
      refused: (address, endpoint, reason) =>
        audit.refusedAtDoor(
          { endpoint, bearer: undefined, address, sessionId: undefined, client: undefined },
          { kind: 'refused', code: 'unauthenticated', reason },
        ),
      used: clients.touched,
    });
    const failed = (error: unknown) => log.error('The authorization server failed', { reason: sentenceOf(error) });
    made.on('server_error', (_ctx, error) => failed(error));
    (made as EventEmitter).on('error', failed);
    return made;
  };
  let current: { keys: readonly SigningKey[]; provider: Provider } | undefined;
  const provider = (): Provider => {
    if (current?.keys !== keys.all()) current = { keys: keys.all(), provider: make(keys.all()) };
    return current.provider;
  };

  const parts = { provider, basePath, remember, signedIn: signIns.current };
  await registerOAuth(app, {
    ...{ ...parts, keys, resources, redirects, take },
    tokenIdOf: async (token) => (await accessTokens.verified(token))?.jti,
  });
  await registerInteraction(app, {
    ...{ ...parts, note, issuer: resources.publicUrl, endpointOf: resources.endpointOf, known: clients.known },
    formKey: secretFor('forms'),
  });

  const every = (ms: number, what: string, run: () => Promise<void>) =>
    setInterval(() => {
      run().catch((error: unknown) => log.debug(`${what} failed`, { reason: sentenceOf(error) }));
    }, ms).unref();
  await keys.refresh();
  const timers = [
    every(LOOK_MS, 'Looking at signing keys', keys.refresh),
    every(SWEEP_MS, 'Sweeping what OAuth keeps', records.sweep),
  ];

  const clientSecretBinding = (clientId: string) => ({
    ...{ workspaceId: '', table: 'oauth_client', row: clientId, column: 'sealed_secret' },
  });
  const sealSecret = (clientId: string, secret: string) => sealer.seal(secret, clientSecretBinding(clientId));
  const store = storeAcrossWorkspaces(postgresOAuth(db, sealSecret));

  return {
    records,
    store,
    /** What people allowed, for themselves. */
    programs: {
      list: async ({ workspaceId, userId }: { workspaceId: string; userId: string }) =>
        (await store.consents(workspaceId, userId)).map(({ consentId, clientId, clientName, scopes, createdAt }) => ({
          ...{ id: consentId, name: clientName ?? clientId, scopes, at: new Date(createdAt) },
        })),
      async end(_person: object, consentId: string) {
        await records.endGrant(consentId);
      },
    },
    /** What the administrative API tells it to do. */
    port: {
      redirectRefusal: redirects.refusal,
      endClient: records.endClient,
      async endConsent(consentId: string) {
        await records.endGrant(consentId);
      },
      keys: () => [...keys.all()],
      rotateKeys: keys.rotate,
    },
    close(): void {
      for (const timer of timers) clearInterval(timer);
    },
  };
};
