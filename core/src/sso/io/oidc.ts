import { LRUCache } from 'lru-cache';
import * as client from 'openid-client';
import { z } from 'zod';
import { type Claims, claimOf, vouchedOf } from '../claims.ts';
import type { OidcProvider, Vouched } from '../provider.ts';
import { notBelieved, saidNo, TurnedAway, unreachable } from '../turned-away.ts';

/** How requests leave: every address but the issuer's own is named by the other side. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** What is kept between sending somebody to a provider and their coming back. */
export const OidcStep = z.object({ revision: z.string(), next: z.string(), nonce: z.string(), verifier: z.string() });

type Options = { fetch: Fetch };

const TIMEOUT_SECONDS = 5;
const REMEMBERED_MS = 60 * 60_000;

/** Signatures by the provider's own keys: nothing unsigned, nothing with a shared secret. */
const ALGORITHMS = new Set([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]);

/** Discovery or a request to the provider failed, or what it said does not hold. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  return `${error.message}${code}${cause instanceof Error ? `: ${cause.message}` : ''}`;
};

const AWAY = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'OAUTH_RESPONSE_IS_NOT_CONFORM', 'OAUTH_RESPONSE_IS_NOT_JSON']);

const isAway = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'TimeoutError' ||
    error.name === 'AbortError' ||
    error instanceof TypeError ||
    (error instanceof client.ClientError && (error.code === undefined || AWAY.has(error.code))));

const toTurnedAway = (name: string, error: unknown): TurnedAway => {
  if (error instanceof TurnedAway) return error;
  if (error instanceof client.AuthorizationResponseError) return saidNo(name, error.error, error.error_description);
  if (error instanceof client.ResponseBodyError) return saidNo(name, error.error, error.error_description);
  return isAway(error) ? unreachable(name, reasonOf(error)) : notBelieved(name, reasonOf(error));
};

const isLocal = (issuer: string): boolean => new URL(issuer).protocol === 'http:';

/** OpenID Connect: the authorization code flow with PKCE, state, nonce and `iss` (RFC 9207). */
export const createOidc = ({ fetch }: Options) => {
  const known = new LRUCache<string, Promise<client.Configuration>>({ max: 200, ttl: REMEMBERED_MS });

  const discover = async ({ settings: { issuer, clientId }, secret }: OidcProvider): Promise<client.Configuration> => {
    const config = await client.discovery(
      new URL(issuer),
      clientId,
      secret ?? undefined,
      secret === null ? client.None() : undefined,
      {
        execute: [client.enableNonRepudiationChecks, ...(isLocal(issuer) ? [client.allowInsecureRequests] : [])],
        timeout: TIMEOUT_SECONDS,
        [client.customFetch]: (url, init) => fetch(url, init as RequestInit),
      },
    );
    // An issuer that stands for many, as of several tenants, is none that anybody has agreed to.
    if (new URL(config.serverMetadata().issuer).href !== new URL(issuer).href)
      throw new Error(`it calls itself ${config.serverMetadata().issuer}`);
    return config;
  };

  const configuration = (provider: OidcProvider): Promise<client.Configuration> => {
    const key = JSON.stringify([provider.workspaceId, provider.id, provider.revision]);
    const held = known.get(key);
    if (held) return held;
    const found = discover(provider);
    known.set(key, found);
    found.catch(() => known.delete(key));
    return found;
  };

  const checkAlgorithm = (idToken: string): void => {
    const header = JSON.parse(Buffer.from(idToken.split('.')[0] ?? '', 'base64url').toString('utf8')) as Claims;
    if (!ALGORITHMS.has(String(header.alg)))
      throw new Error(`the signature algorithm ${String(header.alg)} is not accepted`);
  };

  return {
    /** Where to send the browser, and what to keep until it comes back. */
    async begin(
      provider: OidcProvider,
      { redirectUri, state }: { redirectUri: string; state: string },
    ): Promise<{ url: URL; nonce: string; verifier: string }> {
      try {
        const config = await configuration(provider);
        const verifier = client.randomPKCECodeVerifier();
        const nonce = client.randomNonce();
        const url = client.buildAuthorizationUrl(config, {
          redirect_uri: redirectUri,
          response_type: 'code',
          scope: provider.settings.scopes.join(' '),
          code_challenge: await client.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          state,
          nonce,
        });
        return { url, nonce, verifier };
      } catch (error) {
        throw unreachable(provider.name, reasonOf(error));
      }
    },

    /** Exchanges the code of the address that the browser came back to, and says for whom it stands. */
    async finish(
      provider: OidcProvider,
      { currentUrl, state, nonce, verifier }: { currentUrl: URL; state: string; nonce: string; verifier: string },
    ): Promise<Vouched> {
      try {
        const config = await configuration(provider);
        const tokens = await client.authorizationCodeGrant(config, currentUrl, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        });
        const idToken = tokens.claims();
        if (!idToken) throw new Error('there is no ID token');
        checkAlgorithm(tokens.id_token ?? '');
        const { groupsClaim, emailClaim } = provider.settings;
        const isMissing = [groupsClaim, emailClaim].some((name) => claimOf(idToken, name) === undefined);
        const more =
          isMissing && config.serverMetadata().userinfo_endpoint
            ? await client.fetchUserInfo(config, tokens.access_token, idToken.sub)
            : {};
        return vouchedOf(provider, idToken, more);
      } catch (error) {
        throw toTurnedAway(provider.name, error);
      }
    },

    /** Looks whether it answers, and with what a sign-in needs. */
    async check(provider: OidcProvider): Promise<{ ok: boolean; message: string }[]> {
      try {
        const metadata = (await discover(provider)).serverMetadata();
        const keys = metadata.jwks_uri
          ? await fetch(metadata.jwks_uri, { signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000) })
          : undefined;
        const held = keys?.ok ? ((await keys.json()) as { keys?: unknown[] }).keys?.length : 0;
        return [
          { ok: true, message: `${metadata.issuer} answers.` },
          {
            ok: Boolean(metadata.authorization_endpoint && metadata.token_endpoint),
            message: 'It says where to sign in and where to exchange codes.',
          },
          { ok: (held ?? 0) > 0, message: `It has ${held ?? 0} keys to check its signatures with.` },
          {
            ok: metadata.supportsPKCE() || metadata.code_challenge_methods_supported === undefined,
            message: 'It does not refuse PKCE with S256.',
          },
        ];
      } catch (error) {
        return [
          {
            ok: false,
            message: `${provider.settings.issuer} does not answer as an OpenID provider: ${reasonOf(error)}`,
          },
        ];
      }
    },
  };
};

export type Oidc = ReturnType<typeof createOidc>;
