import { audit } from './audit.ts';
import { type ClientOf, createCaller, type HandlersOf } from './client.ts';
import { endpoints } from './endpoints.ts';
import { proxy, routes, setup } from './gateway.ts';
import { identityProviders } from './identity-providers.ts';
import { capabilities, servers } from './servers.ts';
import { tokens } from './tokens.ts';
import { me, users } from './users.ts';

export type { AuditRecord } from './audit.ts';
export { ApiError, type ClientOptions } from './client.ts';
export type { Endpoint, EndpointChanges, NameStyle, Selected, ToolChange } from './endpoints.ts';
export {
  type IdentityProvider,
  type MappedRole,
  Mapping,
  OidcSettings,
  SamlSettings,
} from './identity-providers.ts';
export type { Guard, Operation } from './operation.ts';
export { LaunchConfig, type Offer, type Server, type ServerChanges } from './servers.ts';
export { type DangerLevel, Permissions, type Switch, Switches, type SwitchesChange } from './shapes.ts';
export type { Token, TokenScope } from './tokens.ts';
export type { User, UserChanges } from './users.ts';

/** The whole API. Adding a resource is one file and one line here. */
export const api = {
  users,
  me,
  servers,
  capabilities,
  endpoints,
  tokens,
  identityProviders,
  audit,
  proxy,
  setup,
  routes,
};
export type Api = typeof api;

/** What console, desk, cli and e2e call. */
export type Client = ClientOf<Api>;

/** What the server owes: the same names and types, plus who is asking. */
export type Handlers<Who> = HandlersOf<Api, Who>;

/** A typed client of the REST API at `baseUrl` (no trailing slash). Throws `ApiError`. */
export const createClient = createCaller(api);
