import type { Database } from '../db/db.ts';
import { withDatabase } from '../db/unavailable.ts';
import type { Log } from '../lib/log.ts';
import type { EndpointPort } from '../path/identity/anonymous.ts';
import { createIdentity, type TokenStore } from '../path/identity/identity.ts';
import { createLastUsed, postgresPeople, postgresTokens } from '../path/identity/io/postgres-tokens.ts';
import { signInCredentials } from '../sign-in/io/postgres-sign-ins.ts';

const LAST_USED_MS = 60_000;

/** A kind of credential beside service tokens: its ids carry a prefix of their own. */
export type CredentialStore = TokenStore & { prefix: string };

/** Service tokens and every other kind of credential as one store. */
const combineCredentials = (serviceTokens: TokenStore, kinds: readonly CredentialStore[]) => {
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

type Options = {
  db: Database;
  log: Log;
  endpoints: EndpointPort;
  machineKeyHash: string;
  now(): number;
  credentials: readonly CredentialStore[];
};

/** Who somebody is, by whatever they prove it with: service tokens, browsers signed in, and `credentials`. */
export const buildIdentity = ({ db, log, endpoints, machineKeyHash, now, credentials }: Options) => {
  const lastUsed = createLastUsed(db, { everyMs: LAST_USED_MS, log });
  const signedIn = signInCredentials(db, postgresPeople(db).find);
  const { store, isServiceToken } = combineCredentials(postgresTokens(db), [...credentials, signedIn]);
  const identity = createIdentity({
    store: {
      byBearer: (bearer, hash) => withDatabase(() => store.byBearer(bearer, hash)),
      byId: (tokenId) => withDatabase(() => store.byId(tokenId)),
    },
    endpoints,
    machineKeyHash,
    now,
    touched: (tokenId) => {
      if (isServiceToken(tokenId)) lastUsed.touched(tokenId);
    },
  });
  return { identity, lastUsed };
};
