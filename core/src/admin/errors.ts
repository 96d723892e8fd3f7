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
export const unauthorized = (message: string) => new AdminError(401, 'AUTH_INVALID_TOKEN', 1002, message);
export const forbidden = (message: string) => new AdminError(403, 'FORBIDDEN', 1003, message);
export const noUser = (userId: string) =>
  new AdminError(404, 'USER_NOT_FOUND', 2001, `There is no person or agent with the id "${userId}".`);
export const userExists = (userId: string) =>
  new AdminError(409, 'USER_EXISTS', 2003, `There is already a person or agent with the id "${userId}".`);
export const noServer = (serverId: string) =>
  new AdminError(404, 'SERVER_NOT_FOUND', 3001, `There is no server with the id "${serverId}".`);
export const serverExists = (serverId: string) =>
  new AdminError(409, 'SERVER_EXISTS', 3003, `There is already a server with the id "${serverId}".`);
export const noToken = () => new AdminError(404, 'TOKEN_NOT_FOUND', 1001, 'There is no such token.');
export const noProxy = () => new AdminError(404, 'PROXY_NOT_FOUND', 5001, 'This gateway has no such proxy.');
export const proxyExists = () => new AdminError(409, 'PROXY_EXISTS', 5002, 'This gateway has been named already.');
