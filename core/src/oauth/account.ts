/** A person or agent as the `sub` of tokens: unique over all workspaces. */
export type Account = { workspaceId: string; userId: string };

export const accountIdOf = ({ workspaceId, userId }: Account): string => `${workspaceId}:${userId}`;

export const accountOf = (accountId: string): Account | undefined => {
  const [workspaceId, userId, ...rest] = accountId.split(':');
  return workspaceId && userId && rest.length === 0 ? { workspaceId, userId } : undefined;
};

/** What a grant, and a client with credentials of its own, are called where service tokens have their id. */
export const tokenIdOfGrant = (grantId: string): string => `oauth_${grantId}`;
export const tokenIdOfClient = (clientId: string): string => `oauth_client_${clientId}`;
