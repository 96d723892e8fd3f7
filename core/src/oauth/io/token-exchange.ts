import type Provider from 'oidc-provider';
import { type Client, errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { type Account, accountIdOf } from '../account.ts';
import { EXCHANGE_GRANT } from '../metadata.ts';
import type { Resources } from '../resources.ts';
import { isMcpScope, scopesOf } from '../scopes.ts';

/** Who acts for the subject, and who acted for it before (RFC 8693, 4.1). */
type Actor = { sub: string; act?: unknown };

/** A token that another may be had for, and how far it reaches. */
export type Exchangeable = Account & {
  /** What ends it ends what it was exchanged for. */
  tokenId: string;
  /** Endpoints and scopes it is confined to; undefined for everything its person may use. */
  endpoints: readonly string[] | undefined;
  scopes: readonly string[] | undefined;
  expiresAt: Date | null;
  /** The client an access token was issued to. */
  clientId: string | undefined;
  act: unknown;
};

type Facts = { tokenId?: string; act?: Actor };

type Options = {
  resources: Resources;
  exchangeable(token: string): Promise<Exchangeable | undefined>;
  resourceServer(resource: string, client: Client): { scope: string };
};

type Params = {
  subject_token?: string;
  subject_token_type?: string;
  actor_token?: string;
  actor_token_type?: string;
  requested_token_type?: string;
  audience?: string;
  scope?: string;
  resource?: string | string[];
};

const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'audience',
  'scope',
];
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const MAX_SECONDS = 900;

const facts = new WeakMap<object, Facts>();
/** What a token that was exchanged carries beside what it would carry anyway. */
export const exchangedFacts = (token: object): Facts => facts.get(token) ?? {};

const isPublic = (client: Client): boolean => client.tokenEndpointAuthMethod === 'none';

/** A token buys a short one that reaches no further than itself, and ends with it (RFC 8693). */
export const addTokenExchange = (provider: Provider, { resources, exchangeable, resourceServer }: Options): void => {
  const read = async (token: string | undefined, type: string | undefined, what: string, client: Client) => {
    if (token === undefined || type === undefined)
      throw new errors.InvalidRequest(`${what}_token and ${what}_token_type are needed`);
    if (type !== ACCESS_TOKEN && type !== JWT)
      throw new errors.InvalidRequest(`${what}_token_type must be ${ACCESS_TOKEN}`);
    const known = await exchangeable(token);
    // RFC 8693, 2.2.2: an invalid token is an invalid request.
    if (!known) throw new errors.InvalidRequest(`the ${what} token is not valid`);
    if (known.clientId !== undefined && known.clientId !== client.clientId && isPublic(client))
      throw new errors.InvalidRequest(`the ${what} token was issued to another client`);
    return known;
  };

  const resourceOf = ({ resource, audience }: Params, subject: Exchangeable): string => {
    const asked = [resource ?? [], audience ?? []].flat();
    if (asked.length > 1) throw new errors.InvalidTarget('only a single resource may be asked for');
    const [given] = asked;
    const only = subject.endpoints?.[0];
    const wanted = given ?? resources.resourceOf(only ?? '/mcp', undefined);
    const endpoint = resources.endpointOf(wanted);
    if (endpoint === undefined || (subject.endpoints && !subject.endpoints.includes(endpoint)))
      throw new errors.InvalidTarget();
    return wanted;
  };

  const handle = async (ctx: TokenEndpointGrantContext<Params>): Promise<void> => {
    const { client, params } = ctx.oidc;
    if (params.requested_token_type !== undefined && ![ACCESS_TOKEN, JWT].includes(params.requested_token_type))
      throw new errors.InvalidRequest(`requested_token_type must be ${ACCESS_TOKEN}`);
    const subject = await read(params.subject_token, params.subject_token_type, 'subject', client);
    const actor =
      params.actor_token === undefined
        ? undefined
        : await read(params.actor_token, params.actor_token_type, 'actor', client);
    if (actor && actor.workspaceId !== subject.workspaceId)
      throw new errors.InvalidRequest('the actor is of another workspace');

    const resource = resourceOf(params, subject);
    const server = resourceServer(resource, client);
    const within = scopesOf(server.scope).filter((one) => subject.scopes?.includes(one) ?? true);
    const asked = params.scope === undefined ? within : scopesOf(params.scope);
    const beyond = asked.filter((one) => isMcpScope(one) && !within.includes(one));
    if (beyond.length > 0) throw new errors.InvalidScope('the subject token does not reach so far', beyond.join(' '));
    const scope = asked.filter((one) => within.includes(one)).join(' ');

    const left = subject.expiresAt ? Math.floor((subject.expiresAt.getTime() - Date.now()) / 1000) : MAX_SECONDS;
    if (left < 1) throw new errors.InvalidRequest('the subject token is not valid');
    const token = new provider.AccessToken({
      ...{ accountId: accountIdOf(subject), client, gty: EXCHANGE_GRANT, scope, grantId: '' },
      expiresIn: Math.min(MAX_SECONDS, left),
      resourceServer: new provider.ResourceServer(resource, server),
    });
    const acting = actor ? accountIdOf(actor) : isPublic(client) ? undefined : client.clientId;
    const act: Actor | undefined =
      acting === undefined
        ? (subject.act as Actor | undefined)
        : { sub: acting, ...(subject.act !== undefined && { act: subject.act }) };
    facts.set(token, {
      tokenId: subject.tokenId,
      ...(act && { act }),
    });
    ctx.oidc.entity('AccessToken', token);
    ctx.body = {
      access_token: await token.save(),
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: Math.min(MAX_SECONDS, left),
      scope,
    };
  };
  provider.registerGrantType(EXCHANGE_GRANT, handle, new Set([...PARAMETERS, 'resource']), 'resource');
};
