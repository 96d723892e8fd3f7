import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type Provider from 'oidc-provider';
import { networkOf } from '#lib/network';
import type { RateLimit } from '#lib/rate-limit';
import { html, sendPage } from '#page';
import { EXCHANGE_GRANT, resourceMetadata, serverMetadata } from '../metadata.ts';
import type { SignedIn } from '../ports.ts';
import type { RedirectRules } from '../redirects.ts';
import { readRegistration } from '../registration.ts';
import type { Resources } from '../resources.ts';
import { DEFAULT_SCOPE } from '../scopes.ts';
import { looksSigned } from './access-tokens.ts';
import { EXCHANGE_CLIENT } from './provider.ts';
import { providerRequest } from './provider-request.ts';
import type { SigningKeys } from './signing-keys.ts';

type Options = {
  provider(): Provider;
  keys: SigningKeys;
  resources: Resources;
  redirects: RedirectRules;
  signedIn(request: FastifyRequest): Promise<SignedIn | undefined>;
  /** Remembers who sent a request, for as long as it lasts. */
  remember(request: IncomingMessage, person: SignedIn | undefined): void;
  /** The id of an access token that we signed. */
  tokenIdOf(token: string): Promise<string | undefined>;
  take: RateLimit;
  /** The path of the public address, '' for none: known before the address is. */
  basePath: string;
};

const FORM = 'application/x-www-form-urlencoded';
const MAX_BODY = 56 * 1024;
const REGISTRATIONS_PER_MINUTE = 20;
const CODES_PER_MINUTE = 10;

type Fields = Record<string, string | string[]>;
const FAULTY = 'The body must be a form or a JSON object whose fields are text.';

/** The fields of a form, or of JSON, which says the same; undefined for anything else. */
const fieldsOf = (text: string, type: string): Fields | undefined => {
  if (!type.startsWith('application/json')) {
    const fields: Fields = {};
    for (const [name, value] of new URLSearchParams(text)) {
      const held = Object.hasOwn(fields, name) ? fields[name] : undefined;
      Object.defineProperty(fields, name, {
        value: held === undefined ? value : [held, value].flat(),
        ...{ enumerable: true, configurable: true, writable: true },
      });
    }
    return fields;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const isText = (value: unknown): boolean => typeof value === 'string';
    const isFit = (value: unknown): boolean => isText(value) || (Array.isArray(value) && value.every(isText));
    return Object.values(parsed).every(isFit) ? (parsed as Fields) : undefined;
  } catch {
    return undefined;
  }
};

const toForm = (fields: Fields): string =>
  new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one])),
  ).toString();

/** The authorization server and its documents on the application's routes, the published short paths included. */
export const registerOAuth = async (app: FastifyInstance, options: Options): Promise<void> => {
  const { provider, keys, resources, redirects, take, basePath } = options;
  const issuer = resources.publicUrl;
  const queryOf = ({ raw: { url = '' } }: FastifyRequest): string =>
    url.includes('?') ? url.slice(url.indexOf('?')) : '';

  const pass = async (request: FastifyRequest, reply: FastifyReply, url: string, text?: string, type = FORM) => {
    const person = await options.signedIn(request);
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    const body = text === undefined ? undefined : { text, type };
    const seen = providerRequest(request.raw, { issuer: issuer(), url, address: request.ip, body });
    options.remember(seen, person);
    await provider().callback()(seen, reply.raw);
  };

  const authorize = (request: FastifyRequest, reply: FastifyReply) => {
    const query = new URLSearchParams(queryOf(request));
    if (!query.has('scope')) query.set('scope', DEFAULT_SCOPE);
    return pass(request, reply, `/oauth/authorize?${query}`);
  };

  /** A request with a form, or the same as JSON; `prepare` completes its fields. */
  const post =
    (
      path: string,
      prepare: (fields: Fields, request: FastifyRequest) => Fields | Promise<Fields> = (fields) => fields,
    ) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      const fields = fieldsOf(String(request.body ?? ''), request.headers['content-type'] ?? FORM);
      if (!fields) return reply.code(400).send({ error: 'invalid_request', error_description: FAULTY });
      return pass(request, reply, path, toForm(await prepare(fields, request)));
    };

  const token = (fields: Fields, { headers }: FastifyRequest): Fields => {
    const { grant_type: grant } = fields;
    const isNobody = headers.authorization === undefined && fields.client_id === undefined;
    if (grant === EXCHANGE_GRANT) return isNobody ? { ...fields, client_id: EXCHANGE_CLIENT } : fields;
    return grant === 'client_credentials' ? { scope: DEFAULT_SCOPE, ...fields } : fields;
  };

  /** An access token of ours is known by its id; any other that is signed is not known at all. */
  const byTokenId = async (fields: Fields): Promise<Fields> =>
    typeof fields.token === 'string' && looksSigned(fields.token)
      ? { ...fields, token: (await options.tokenIdOf(fields.token)) ?? 'none' }
      : fields;

  const register = async (request: FastifyRequest, reply: FastifyReply) => {
    const tooMany = 'Too many registrations from this address: wait a minute.';
    if (!take(`register ${networkOf(request.ip)}`, REGISTRATIONS_PER_MINUTE))
      return reply.code(429).send({ error: 'temporarily_unavailable', error_description: tooMany });
    let body: unknown;
    try {
      body = JSON.parse(String(request.body ?? ''));
    } catch {
      body = undefined;
    }
    const read = readRegistration(body, redirects);
    if ('error' in read)
      return reply
        .code(400)
        .header('cache-control', 'no-store')
        .send({ error: read.error, error_description: read.description });
    return pass(request, reply, '/oauth/register', JSON.stringify(read.metadata), 'application/json');
  };

  const device = (request: FastifyRequest, reply: FastifyReply) => {
    if (!/(^|; )peta_oauth=/.test(request.headers.cookie ?? ''))
      return sendPage(
        reply,
        {
          title: 'Start again',
          body: html`<h1>Start again</h1><p><a href="${basePath}/oauth/device">Enter the code once more.</a></p>`,
        },
        400,
      );
    if (!take(`code ${networkOf(request.ip)}`, CODES_PER_MINUTE))
      return reply.code(429).send({ error: 'slow_down', error_description: 'Too many codes: wait a minute.' });
    return post('/oauth/device')(request, reply);
  };

  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: MAX_BODY }, (_request, body, done) =>
      done(null, body),
    );
    const open = { config: { guard: 'open' } };
    const byClient = { config: { guard: 'by client' } };
    for (const prefix of ['', '/oauth']) {
      scope.get(`${prefix}/authorize`, open, authorize);
      scope.post(`${prefix}/token`, byClient, post('/oauth/token', token));
      scope.post(`${prefix}/introspect`, byClient, post('/oauth/introspect', byTokenId));
      scope.post(`${prefix}/revoke`, byClient, post('/oauth/revoke', byTokenId));
      scope.post(`${prefix}/register`, byClient, register);
    }
    scope.get<{ Params: { uid: string } }>('/oauth/authorize/:uid', open, (request, reply) =>
      pass(request, reply, `/oauth/authorize/${encodeURIComponent(request.params.uid)}`),
    );
    scope.post(
      '/oauth/device/authorize',
      byClient,
      post('/oauth/device/authorize', (fields) => ({ scope: DEFAULT_SCOPE, ...fields })),
    );
    scope.get('/oauth/device', open, (request, reply) => pass(request, reply, `/oauth/device${queryOf(request)}`));
    scope.post('/oauth/device', open, device);
    scope.get<{ Params: { uid: string } }>('/oauth/device/:uid', open, (request, reply) =>
      pass(request, reply, `/oauth/device/${encodeURIComponent(request.params.uid)}`),
    );
    scope.get('/oauth/jwks', open, async (_request, reply) => {
      await keys.refresh();
      return reply.header('cache-control', 'public, max-age=300').send(keys.publicSet());
    });
  });

  const describe = async () => serverMetadata(issuer());
  for (const name of ['oauth-authorization-server', 'openid-configuration'])
    for (const url of new Set([`/.well-known/${name}`, `/.well-known/${name}${basePath}`]))
      app.get(url, { config: { guard: 'open' } }, describe);

  const protect = async (request: FastifyRequest, reply: FastifyReply, endpoint: string) => {
    const resource = resources.resourceOf(endpoint, request.headers.host);
    if (resources.endpointOf(resource) === undefined)
      return reply.code(404).send({ error: 'Not Found', code: 'NOT_FOUND', message: `There is no ${endpoint}.` });
    return resourceMetadata(resource, issuer());
  };
  const PROTECTED = '/.well-known/oauth-protected-resource';
  for (const [url, endpoint] of [
    ['', '/mcp'],
    [`${basePath}/mcp`, '/mcp'],
    [`${basePath}/mcp/public`, '/mcp/public'],
  ] as const)
    app.get(`${PROTECTED}${url}`, { config: { guard: 'open' } }, (request, reply) => protect(request, reply, endpoint));
  app.get<{ Params: { name: string } }>(
    `${PROTECTED}${basePath}/mcp/e/:name`,
    { config: { guard: 'open' } },
    (request, reply) => protect(request, reply, `/mcp/e/${request.params.name}`),
  );
};
