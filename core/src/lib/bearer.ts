/**
 * The token of an `Authorization` header (RFC 6750, 2.1). Undefined only where there is no such header: one that holds
 * no bearer token is an empty one, which is nobody's, so that it is refused and never taken for no token at all.
 */
export const bearerIn = (authorization: string | undefined): string | undefined =>
  authorization === undefined ? undefined : (/^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '');
