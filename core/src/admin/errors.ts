/** A refusal of the administrative API: HTTP status, stable code, the published number at `/admin`, a sentence. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly status: number;
  readonly code: string;
  readonly actionCode: number;
  constructor(status: number, code: string, actionCode: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.actionCode = actionCode;
  }
}

export const invalid = (message: string) => new AdminError(400, 'INVALID_REQUEST', 1001, message);
export const invalidPermissions = (message: string) => new AdminError(400, 'INVALID_REQUEST', 4002, message);
export const tooLarge = () => new AdminError(413, 'BODY_TOO_LARGE', 1001, 'The body is larger than this Peta takes.');
export const notJson = () => new AdminError(415, 'NOT_JSON', 1001, 'Send the body as application/json.');
export const unauthorized = (message: string) => new AdminError(401, 'AUTH_INVALID_TOKEN', 1002, message);
export const forbidden = (message: string) => new AdminError(403, 'FORBIDDEN', 1003, message);
/** What the address of nothing answers, in the same words. */
export const nothingHere = () => new AdminError(404, 'NOT_FOUND', 1001, 'There is nothing at this address.');
export const badSetupLink = () =>
  new AdminError(
    403,
    'SETUP_LINK_INVALID',
    1003,
    'This set-up link has been used, has expired or never was. Run "npm run peta -- setup-link" on the machine for a new one, or ask whoever runs this Peta.',
  );
export const noUser = (userId: string) =>
  new AdminError(404, 'USER_NOT_FOUND', 2001, `There is no person or agent with the id "${userId}".`);
export const userDisabled = (userId: string) =>
  new AdminError(409, 'USER_ALREADY_DISABLED', 2002, `"${userId}" is disabled already.`);
export const userExists = (userId: string) =>
  new AdminError(409, 'USER_EXISTS', 2003, `There is already a person or agent with the id "${userId}".`);
export const emailTaken = (email: string) =>
  new AdminError(409, 'EMAIL_TAKEN', 2003, `Somebody else has the e-mail address ${email}.`);
export const noTeam = (teamId: string) =>
  new AdminError(404, 'TEAM_NOT_FOUND', 1001, `There is no team with the id "${teamId}".`);
export const teamExists = (teamId: string) =>
  new AdminError(409, 'TEAM_EXISTS', 1001, `There is already a team with the id "${teamId}".`);
export const noRole = (roleId: string) =>
  new AdminError(404, 'ROLE_NOT_FOUND', 1001, `There is no role with the id "${roleId}".`);
export const roleExists = (roleId: string) =>
  new AdminError(409, 'ROLE_EXISTS', 1001, `There is already a role with the id "${roleId}".`);
export const noSession = () =>
  new AdminError(404, 'SESSION_NOT_FOUND', 1001, 'There is no such session: it may have ended.');
export const noServer = (serverId: string) =>
  new AdminError(404, 'SERVER_NOT_FOUND', 3001, `There is no server with the id "${serverId}".`);
export const serverExists = (serverId: string) =>
  new AdminError(409, 'SERVER_EXISTS', 3003, `There is already a server with the id "${serverId}".`);
export const noEndpoint = (name: string) =>
  new AdminError(404, 'ENDPOINT_NOT_FOUND', 1001, `There is no endpoint "${name}".`);
export const endpointExists = (name: string) =>
  new AdminError(409, 'ENDPOINT_EXISTS', 1001, `There is already an endpoint "${name}".`);
export const noWorkspace = (workspaceId: string) =>
  new AdminError(404, 'WORKSPACE_NOT_FOUND', 1001, `There is no workspace "${workspaceId}".`);
export const workspaceExists = (workspaceId: string) =>
  new AdminError(409, 'WORKSPACE_EXISTS', 1001, `There is already a workspace "${workspaceId}".`);
export const noEnvironment = (environmentId: string) =>
  new AdminError(404, 'ENVIRONMENT_NOT_FOUND', 1001, `There is no environment "${environmentId}".`);
export const environmentExists = (environmentId: string) =>
  new AdminError(409, 'ENVIRONMENT_EXISTS', 1001, `There is already an environment "${environmentId}".`);
export const environmentInUse = (environmentId: string, serverIds: readonly string[]) =>
  new AdminError(
    409,
    'ENVIRONMENT_IN_USE',
    1001,
    `These servers belong to ${environmentId}: ${serverIds.join(', ')}. Move them to another environment, or to all, first.`,
  );
export const noToken = () => new AdminError(404, 'TOKEN_NOT_FOUND', 1001, 'There is no such token.');
export const noClient = (clientId: string) =>
  new AdminError(404, 'CLIENT_NOT_FOUND', 1001, `There is no OAuth client with the id "${clientId}".`);
export const noConsent = () => new AdminError(404, 'CONSENT_NOT_FOUND', 1001, 'There is no such consent.');
export const noProxy = () => new AdminError(404, 'PROXY_NOT_FOUND', 5001, 'This gateway has no such proxy.');
export const proxyExists = () => new AdminError(409, 'PROXY_EXISTS', 5002, 'This gateway has been named already.');
export const noSignIn = () => new AdminError(404, 'SIGN_IN_NOT_FOUND', 1001, 'There is no such sign-in.');
