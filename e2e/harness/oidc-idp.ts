import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { type AdapterPayload, Provider } from 'oidc-provider';

/** Somebody at the identity provider: what it says of them. */
export type OidcPerson = { sub: string } & Record<string, unknown>;

const CLIENT = 'peta';
const CLIENT_SECRET = 'a secret between the company and Peta';

/** What the provider keeps. */
const createMemory = () => {
  const kept = new Map<string, AdapterPayload>();
  return class Memory {
    readonly #model: string;
    constructor(model: string) {
      this.#model = model;
    }
    async upsert(id: string, payload: AdapterPayload) {
      kept.set(`${this.#model} ${id}`, payload);
    }
    find = async (id: string) => kept.get(`${this.#model} ${id}`);
    findByUid = async (uid: string) => [...kept.values()].find((payload) => payload.uid === uid);
    findByUserCode = async () => undefined;
    async consume(id: string) {
      const payload = kept.get(`${this.#model} ${id}`);
      if (payload) payload.consumed = Math.floor(Date.now() / 1000);
    }
    async destroy(id: string) {
      kept.delete(`${this.#model} ${id}`);
    }
    async revokeByGrantId(grantId: string) {
      for (const [key, payload] of kept) if (payload.grantId === grantId) kept.delete(key);
    }
  };
};

type Options = {
  /** Claims only at the userinfo endpoint, not in the ID token. */
  byUserinfo?: boolean;
};

/** A company's OpenID provider, where one person is signed in already and has agreed. */
export const startOidcIdp = async ({ byUserinfo = false }: Options = {}) => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: 'company', alg: 'RS256', use: 'sig' };
  const memory = createMemory();
  const redirectUris: string[] = [];
  let person: OidcPerson | undefined = { sub: 'ada-1' };
  let listener: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  const server = createServer((request, response) => listener(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const provider = () =>
    new Provider(issuer, {
      clients: [
        {
          client_id: CLIENT,
          client_secret: CLIENT_SECRET,
          redirect_uris: redirectUris,
          grant_types: ['authorization_code'],
          response_types: ['code'],
        },
      ],
      adapter: memory,
      ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      jwks: { keys: [jwk] },
      cookies: { keys: ['of the company'] },
      conformIdTokenClaims: byUserinfo,
      claims: {
        openid: ['sub'],
        email: ['email', 'email_verified'],
        profile: ['name', 'preferred_username', 'groups'],
      },
      features: { devInteractions: { enabled: false } },
      pkce: { required: () => true },
      interactions: { url: () => '/interaction' },
      findAccount: (_context, sub) => ({ accountId: sub, claims: async () => ({ ...person, sub }) }),
      async loadExistingGrant(context) {
        const { client, session, provider } = context.oidc;
        if (!client || !session?.accountId) return undefined;
        const held = session.grantIdFor(client.clientId);
        if (held) return provider.Grant.find(held);
        const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });

  const listen = () => {
    const current = provider();
    const serve = current.callback();
    listener = (request, response) => {
      if (!request.url?.startsWith('/interaction')) return serve(request, response);
      const result = person
        ? { login: { accountId: person.sub, remember: false } }
        : { error: 'access_denied', error_description: '<b>Not</b> today' };
      current
        .interactionFinished(request, response, result, { mergeWithLastSubmission: false })
        .catch((error: Error) => {
          response.statusCode = 500;
          response.end(error.message);
        });
    };
  };
  listen();

  return {
    issuer,
    clientId: CLIENT,
    secret: CLIENT_SECRET,
    /** To forge with. */
    privateKey,
    register(redirectUri: string): void {
      redirectUris.push(redirectUri);
      listen();
    },
    /** Who is signed in there from now on; nobody for somebody who says no. */
    signIn(who: OidcPerson | undefined): void {
      person = who;
    },
    close: () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  };
};

export type OidcIdp = Awaited<ReturnType<typeof startOidcIdp>>;
