import type { IncomingMessage } from 'node:http';
import Provider, {
  type AccessToken,
  type ClientCredentials,
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { accountIdOf, accountOf } from '../account.ts';
import { AUTH_METHODS, SIGNING_ALG } from '../metadata.ts';
import type { SignedIn } from '../ports.ts';
import { isLocal, isRegistered, type RedirectRules } from '../redirects.ts';
import { readDocument } from '../registration.ts';
import type { Resources } from '../resources.ts';
import { MCP_SCOPES, OWN_SCOPES } from '../scopes.ts';
import type { DevicePages } from './device-pages.ts';
import type { Clients } from './postgres-clients.ts';
import type { Records } from './postgres-records.ts';
import type { SigningKey } from './signing-keys.ts';
import { addTokenExchange, type Exchangeable, exchangedFacts } from './token-exchange.ts';

export type ProviderOptions = {
  resources: Resources;
  keys: readonly SigningKey[];
  records: Records;
  clients: Clients;
  redirects: RedirectRules;
  /** Sign the cookies of a browser that is asked something. */
  cookieKeys: string[];
  /** Who sent this request with their browser. */
  personOf(request: IncomingMessage): SignedIn | undefined;
  isActive(account: { workspaceId: string; userId: string }): Promise<boolean>;
  exchangeable(token: string): Promise<Exchangeable | undefined>;
  /** May this address have a metadata document fetched now? */
  mayFetch(address: string): boolean;
  fetch(url: string, init: RequestInit): Promise<Response>;
  devicePages: DevicePages;
  renderError(ctx: KoaContextWithOIDC, error: string, description: string): void;
};

const MINUTE = 60;
const DAY = 86_400;
export const ACCESS_SECONDS = 15 * MINUTE;
export const GRANT_SECONDS = 180 * DAY;
const REFRESH_SECONDS = 30 * DAY;
/** Every token of the exchange grant without a client of its own is of this one. */
export const EXCHANGE_CLIENT = 'peta-token-exchange';
const NO_STORE = { enabled: false } as const;

const { Check } = interactionPolicy;

/** A public client id that any program on a computer may claim: its earlier consent is nobody's proof (RFC 8252, 8.6). */
export const isClaimable = (clientId: string, redirectUri: unknown): boolean =>
  clientId.startsWith('https://') && (typeof redirectUri !== 'string' || isLocal(redirectUri));

const policy = () => {
  const prompts = interactionPolicy.base();
  const consent = prompts.get('consent');
  consent?.checks.remove('native_client_prompt');
  consent?.checks.add(
    new Check('claimable_client', 'the client must be allowed each time', 'interaction_required', ({ oidc }) => {
      const { client, params, result } = oidc;
      return isClaimable(client?.clientId ?? '', params?.redirect_uri) && result?.consent === undefined;
    }),
  );
  return prompts;
};

const MAX_DOCUMENT = 32_768;

/** Fetches a client's keys, or its metadata document, of which only what concerns us is handed on. */
const fetchDocument = async (fetcher: ProviderOptions['fetch'], url: string, init: RequestInit): Promise<Response> => {
  const { headers, signal } = init;
  const response = await fetcher(url, {
    ...{ method: 'GET', redirect: 'manual', ...(headers && { headers }), ...(signal && { signal }) },
  });
  const isDocument = init.redirect === 'manual';
  if (!isDocument || response.status !== 200) return response;
  const text = await response.text();
  if (text.length > MAX_DOCUMENT) throw new Error('The metadata document is too large.');
  const kept = ['cache-control', 'expires'].flatMap((name): [string, string][] => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  return new Response(readDocument(text), { headers: kept });
};

/** The authorization server, for one set of signing keys: it is made anew when they change, and keeps nothing itself. */
export const createProvider = (options: ProviderOptions): Provider => {
  const { resources, keys, records, clients, redirects, personOf } = options;
  const issuer = resources.publicUrl();
  const basePath = new URL(issuer).pathname.replace(/\/$/, '');
  const [active] = keys;

  const resourceServer = (resource: string, client: object) => {
    const endpoint = resources.endpointOf(resource);
    const allowed = 'peta_endpoints' in client ? client.peta_endpoints : undefined;
    if (endpoint === undefined || (Array.isArray(allowed) && !allowed.includes(endpoint)))
      throw new errors.InvalidTarget();
    const scopes = 'peta_scopes' in client ? client.peta_scopes : undefined;
    const own = Array.isArray(scopes) ? MCP_SCOPES.filter((one) => scopes.includes(one)) : MCP_SCOPES;
    return {
      scope: own.join(' '),
      audience: resource,
      accessTokenTTL: ACCESS_SECONDS,
      accessTokenFormat: 'jwt' as const,
      jwt: { sign: { alg: SIGNING_ALG, ...(active && { kid: active.kid }) } as const },
    };
  };

  /** Whom a token is of: its person, or for a client with credentials of its own the one it stands for. */
  const subjectOf = async (token: AccessToken | ClientCredentials) => {
    if ('accountId' in token && typeof token.accountId === 'string') return accountOf(token.accountId);
    const client = await clients.known(token.clientId ?? '');
    const { workspaceId, userId } = client ?? {};
    return workspaceId && userId ? { workspaceId, userId } : undefined;
  };

  const configuration: Configuration = {
    adapter: (model: string) => (model === 'Client' ? clients.adapter : records.adapter(model)),
    jwks: { keys: keys.map(({ jwk }) => jwk) as never[] },
    clients: [
      {
        client_id: EXCHANGE_CLIENT,
        client_name: 'Token exchange',
        grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'none',
      },
    ],
    clientDefaults: { id_token_signed_response_alg: SIGNING_ALG },
    clientAuthMethods: [...AUTH_METHODS],
    scopes: [...OWN_SCOPES],
    responseTypes: ['code'],
    pkce: { required: () => true },
    clientBasedCORS: () => true,
    clockTolerance: 5,
    cookies: {
      names: { session: 'peta_oauth', interaction: 'peta_oauth_ask', resume: 'peta_oauth_resume' },
      keys: options.cookieKeys,
    },
    extraClientMetadata: { properties: ['peta_endpoints', 'peta_scopes'] },
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      registration: '/oauth/register',
      introspection: '/oauth/introspect',
      revocation: '/oauth/revoke',
      jwks: '/oauth/jwks',
      device_authorization: '/oauth/device/authorize',
      code_verification: '/oauth/device',
      end_session: '/oauth/end-session',
    },
    ttl: {
      AccessToken: ACCESS_SECONDS,
      AuthorizationCode: MINUTE,
      ClientCredentials: ACCESS_SECONDS,
      DeviceCode: 10 * MINUTE,
      Grant: GRANT_SECONDS,
      IdToken: ACCESS_SECONDS,
      Interaction: 30 * MINUTE,
      RefreshToken: REFRESH_SECONDS,
      Session: DAY,
    },
    features: {
      devInteractions: NO_STORE,
      dPoP: NO_STORE,
      rpInitiatedLogout: NO_STORE,
      pushedAuthorizationRequests: NO_STORE,
      userinfo: NO_STORE,
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      registration: { enabled: true, issueRegistrationAccessToken: false },
      deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****', ...options.devicePages },
      clientIdMetadataDocument: {
        enabled: true,
        ack: 'draft-02',
        allowFetch: (ctx: KoaContextWithOIDC) => options.mayFetch(ctx.ip),
        allowClient: (_ctx: KoaContextWithOIDC, client: { redirectUris?: readonly string[] | undefined }) =>
          (client.redirectUris ?? []).every((one) => redirects.refusal(one) === undefined),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => {
          const all = resources.resourceOf('/mcp', undefined);
          return oneOf === undefined || oneOf.includes(all) ? all : (oneOf[0] ?? all);
        },
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource, client) => resourceServer(resource, client),
      },
    } as Configuration['features'],
    fetch: (url, init = {}) => fetchDocument(options.fetch, url instanceof Request ? url.url : String(url), init),
    interactions: {
      policy: policy(),
      url: (_ctx, interaction) => `${basePath}/oauth/interaction/${interaction.uid}`,
    },
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    revokeGrantPolicy: ({ oidc }) => !(oidc.route === 'revocation' && oidc.entities.AccessToken !== undefined),
    async findAccount(_ctx, sub) {
      const account = accountOf(sub);
      if (!account || !(await options.isActive(account))) return undefined;
      return { accountId: sub, claims: async () => ({ sub }) };
    },
    async loadExistingGrant({ oidc }) {
      const { client, session, result, provider } = oidc;
      const account = accountOf(session?.accountId ?? '');
      const { grantId } = result?.consent ?? {};
      const known =
        grantId ?? (account && client && (await records.grantOf(account.workspaceId, account.userId, client.clientId)));
      return known === undefined ? undefined : provider.Grant.find(known);
    },
    formats: {
      customizers: {
        async jwt(_ctx, token, parts) {
          if (token.kind !== 'AccessToken' && token.kind !== 'ClientCredentials') return;
          const subject = await subjectOf(token);
          if (!subject) throw new errors.InvalidGrant('the client stands for nobody');
          const { act, ...facts } = exchangedFacts(token);
          const { payload } = parts;
          payload.sub = accountIdOf(subject);
          payload.workspace = subject.workspaceId;
          const grantId = 'grantId' in token && token.grantId ? String(token.grantId) : undefined;
          if (grantId !== undefined) payload.grant = grantId;
          if (act) payload.act = act;
          const { jti, iat, exp, aud, scope } = payload;
          await records.adapter(token.kind).upsert(
            String(jti),
            {
              ...{ iat: Number(iat), exp: Number(exp), aud: String(aud), kind: token.kind },
              ...{ scope: typeof scope === 'string' ? scope : '', clientId: token.clientId ?? '' },
              ...{ accountId: accountIdOf(subject), format: 'opaque', ...facts },
              ...(grantId !== undefined && { grantId }),
              extra: { sub: accountIdOf(subject), workspace: subject.workspaceId, ...(act && { act }) },
            },
            Number(exp) - Number(iat),
          );
        },
      },
    },
    renderError(ctx, out) {
      options.renderError(ctx, out.error, out.error_description ?? '');
    },
  };

  const provider = new Provider(issuer, configuration);
  provider.proxy = true;
  provider.Client.prototype.redirectUriAllowed = function (uri: string): boolean {
    return isRegistered(uri, this.redirectUris ?? []);
  };

  /** The browser is signed in to Peta or it is not: what the server remembers of it follows that. */
  const read = provider.Session.get.bind(provider.Session);
  provider.Session.get = async (ctx: KoaContextWithOIDC) => {
    const signedIn = personOf(ctx.req);
    const accountId = signedIn && accountIdOf(signedIn);
    let session = await read(ctx);
    if (session.accountId !== undefined && session.accountId !== accountId) {
      await session.destroy();
      session = new provider.Session();
      ctx.oidc.entity('Session', session);
    }
    if (signedIn && accountId !== undefined && session.accountId === undefined) {
      session.loginAccount({ accountId, loginTs: Math.floor(signedIn.at.getTime() / 1000), amr: signedIn.methods });
      Object.assign(session, { touched: true });
    }
    // One that is not kept yet can be, wherever a form of it goes wrong.
    if (session.exp === undefined) Object.assign(session, { exp: Math.floor(Date.now() / 1000) + DAY });
    return session;
  };
  addTokenExchange(provider, { resources, exchangeable: options.exchangeable, resourceServer });
  return provider;
};
