import type { TokenStore } from '../path/identity/identity.ts';

/** A kind of credential beside service tokens: its ids carry a prefix of their own. */
export type CredentialStore = TokenStore & { prefix: string };

/** Service tokens and every other kind of credential as one store. */
export const combineCredentials = (serviceTokens: TokenStore, kinds: readonly CredentialStore[]) => {
  const kindOf = (tokenId: string) => kinds.find(({ prefix }) => tokenId.startsWith(prefix));
  const store: TokenStore = {
    async byBearer(bearer, hash) {
      for (const kind of kinds) {
        const found = await kind.byBearer(bearer, hash);
        if (found) return found;
      }
      return serviceTokens.byBearer(bearer, hash);
    },
    byId: (tokenId) => (kindOf(tokenId) ?? serviceTokens).byId(tokenId),
  };
  return { store, isServiceToken: (tokenId: string): boolean => kindOf(tokenId) === undefined };
};
