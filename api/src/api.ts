import { agents } from './agents.ts';
import { audit } from './audit.ts';
import { type ClientOf, createCaller, type HandlersOf } from './client.ts';
import { endpoints } from './endpoints.ts';
import { environments } from './environments.ts';
import { proxy, routes, setup } from './gateway.ts';
import { clients, consents, signingKeys } from './oauth.ts';
import type { Operation } from './operation.ts';
import { roles } from './roles.ts';
import { capabilities, servers } from './servers.ts';
import { sessions } from './sessions.ts';
import { signIns } from './sign-ins.ts';
import { teams } from './teams.ts';
import { tokens } from './tokens.ts';
import { me, users } from './users.ts';
import { workspaces } from './workspaces.ts';

export type { AgentChanges } from './agents.ts';
export type { AuditRecord } from './audit.ts';
export { ApiError, type ClientOptions } from './client.ts';
export type { Endpoint, EndpointChanges, NameStyle, Selected, ToolChange } from './endpoints.ts';
export type { Environment } from './environments.ts';
export type { Consent, OAuthClient } from './oauth.ts';
export type { Guard, Operation } from './operation.ts';
export type { CustomRole } from './roles.ts';
export { LaunchConfig, type Offer, type Server, type ServerChanges } from './servers.ts';
export type { Session } from './sessions.ts';
export { type DangerLevel, Permissions, type Switch, Switches, type SwitchesChange } from './shapes.ts';
export type { SignIn } from './sign-ins.ts';
export type { Team, TeamChanges } from './teams.ts';
export type { Token, TokenScope } from './tokens.ts';
export type { User, UserChanges } from './users.ts';
export type { Workspace } from './workspaces.ts';

/** The whole API. Adding a resource is one file and one line here. */
export const api = {
  users,
  me,
  teams,
  roles,
  agents,
  servers,
  capabilities,
  endpoints,
  environments,
  tokens,
  sessions,
  signIns,
  clients,
  consents,
  signingKeys,
  audit,
  proxy,
  setup,
  workspaces,
  routes,
};
export type Api = typeof api;

/** What console, desk, cli and e2e call. */
export type Client = ClientOf<Api>;

/** What the server owes: the same names and types, plus who is asking. */
export type Handlers<Who> = HandlersOf<Api, Who>;

/** A typed client of the REST API at `baseUrl` (no trailing slash). Throws `ApiError`. */
export const createClient = createCaller(api);

/** Every operation by its name, such as `users.create`. */
export const operations: ReadonlyMap<string, Operation> = new Map(
  Object.entries(api).flatMap(([resource, group]) =>
    Object.entries(group).map(([verb, one]): [string, Operation] => [`${resource}.${verb}`, one]),
  ),
);

const isForUsersOrAdministrators = ({ guard }: Operation): boolean => guard === 'user' || guard === 'administrator';

/** What auditors may do: read everything that administrators read, and manage how they themselves sign in. */
export const AUDITOR_OPERATIONS: readonly string[] = [...operations].flatMap(([name, one]) =>
  isForUsersOrAdministrators(one) && (one.method === 'GET' || one.isOwnSignIn) ? [name] : [],
);

/** May a role of a workspace include it? What is the owner's alone it may not; what every user may do it need not. */
export const isAssignable = (one: Operation): boolean =>
  one.guard === 'administrator' || (one.guard === 'user' && one.method === 'GET' && !one.isOwnSignIn);
