import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Arrival, Caller, CapabilityKind, Permissions, Refused } from '#call';
import { createRateLimit } from '#lib/rate-limit';
import { hashToken } from '#lib/token';
import { createAnonymous, type EndpointPort } from './anonymous.ts';

/** What somebody proves who they are with, a service token for one, and the person behind it, as stored. */
export type TokenRow = {
  /** Of a service token a UUID; other kinds carry a prefix of their own. */
  tokenId: string;
  workspaceId: string;
  expiresAt: Date | null;
  revokedAt: Date | null;
  scope: { servers?: string[] | undefined; endpoints?: string[] | undefined; kinds?: CapabilityKind[] | undefined };
  /** The one endpoint that an access token was issued for: anywhere else it is no token at all. */
  audience?: string | undefined;
  userId: string;
  role: number;
  status: number;
  userExpiresAt: Date | null;
  permissions: Permissions;
  preferences: Record<string, Permissions>;
};

export type TokenStore = {
  /** By what was sent, and its SHA-256 in hex. Undefined for what is not valid, or of no kind that is known. */
  byBearer(bearer: string, hash: string): Promise<TokenRow | undefined>;
  byId(tokenId: string): Promise<TokenRow | undefined>;
};

type Options = {
  store: TokenStore;
  endpoints: EndpointPort;
  /** SHA-256 of the machine's own key, hex. */
  machineKeyHash: string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** A token was used. Called often; must be cheap. */
  touched(tokenId: string): void;
};

type Known = { row: TokenRow; caller: Caller };

const MAX_KNOWN = 10_000;
const MAX_ASKS = 5;
const ENABLED = 1;

const refused = (reason: string): Refused => ({ kind: 'refused', code: 'unauthenticated', reason });
const MISSING = refused('A token is needed: send it as "Authorization: Bearer …".');
const INVALID = refused('The token is not valid: it may be mistyped, expired or revoked. Ask for a new one.');
const FOREIGN = refused('The token was issued for another address: ask for one whose resource is this one.');
const ELSEWHERE: Refused = { kind: 'refused', code: 'wrong-endpoint', reason: 'The token is not for this endpoint.' };

const GONE: Refused = { kind: 'refused', code: 'wrong-endpoint', reason: 'This endpoint is not there any more.' };

const toCaller = (row: TokenRow): Caller => ({
  workspaceId: row.workspaceId,
  kind: 'user',
  userId: row.userId,
  role: row.role === 1 || row.role === 2 ? row.role : 3,
  tokenId: row.tokenId,
  scope: {
    servers: row.scope.servers ?? null,
    endpoints: row.scope.endpoints ?? null,
    ...(row.scope.kinds && { kinds: row.scope.kinds }),
  },
  permissions: row.permissions,
  preferences: row.preferences,
});

const both = <T>(one: readonly T[] | null | undefined, other: T[] | undefined): T[] | undefined =>
  one ? one.filter((item) => !other || other.includes(item)) : other;

/** What a credential may do today, and no more than what it was let in with: an access token carries its own bounds. */
const withinBounds = ({ scope, ...row }: TokenRow, { endpoints, kinds }: Caller['scope']): TokenRow => ({
  ...row,
  scope: { ...scope, endpoints: both(endpoints, scope.endpoints), kinds: both(kinds, scope.kinds) },
});

/** Whoever can read PETA_HOME owns this Peta: the key in it acts as the owner. */
export const MACHINE: Caller = {
  workspaceId: 'default',
  kind: 'machine',
  userId: null,
  role: 1,
  tokenId: null,
  scope: { servers: null, endpoints: null },
  permissions: {},
  preferences: {},
};

/** Bearer tokens → callers. Verified ones are remembered until they change; an unknown one is asked for each time. */
export const createIdentity = ({ store, endpoints: places, machineKeyHash, now, touched }: Options) => {
  const byHash = new LRUCache<string, Known>({ max: MAX_KNOWN });
  const asking = new Map<string, Promise<Known | undefined>>();
  const machineHash = Buffer.from(machineKeyHash, 'hex');
  const anonymous = createAnonymous({ endpoints: places, take: createRateLimit(now) });
  let generation = 0;

  const isPast = (time: Date | null): boolean => time !== null && time.getTime() <= now();
  const isValid = (row: TokenRow): boolean =>
    !isPast(row.revokedAt) && !isPast(row.expiresAt) && row.status === ENABLED && !isPast(row.userExpiresAt);

  /** What is forgotten while we ask may be what we are told, so we ask again; and after some times let it be. */
  const ask = async (bearer: string, hash: string): Promise<Known | undefined> => {
    for (let attempt = 1; ; attempt += 1) {
      const before = generation;
      const row = await store.byBearer(bearer, hash);
      const isCurrent = before === generation;
      if (!isCurrent && attempt < MAX_ASKS) continue;
      if (!row) return undefined;
      const known = { row, caller: toCaller(row) };
      if (isCurrent) byHash.set(hash, known);
      return known;
    }
  };

  const find = (bearer: string, hash: string): Promise<Known | undefined> | Known => {
    const held = byHash.get(hash) ?? asking.get(hash);
    if (held) return held;
    const pending = ask(bearer, hash).finally(() => asking.delete(hash));
    asking.set(hash, pending);
    return pending;
  };

  return {
    /** Who sent this, or why they are not let in. Rejects when a token must be looked up and cannot be. */
    async identify(arrival: Arrival): Promise<Caller | Refused> {
      const { bearer, endpoint } = arrival;
      if (!places.isOpen(endpoint)) return GONE;
      if (bearer === undefined) return anonymous.admit(arrival) ?? MISSING;
      const hash = hashToken(bearer);
      if (timingSafeEqual(Buffer.from(hash, 'hex'), machineHash)) return MACHINE;
      const known = await find(bearer, hash);
      if (!known || !isValid(known.row)) return INVALID;
      if (known.row.audience !== undefined && known.row.audience !== endpoint) return FOREIGN;
      const { endpoints } = known.caller.scope;
      if (endpoints && !endpoints.includes(endpoint)) return ELSEWHERE;
      touched(known.row.tokenId);
      return known.caller;
    },

    /** The same caller with today's permissions, or the reason why no more. */
    async current(caller: Caller, endpoint: string): Promise<Caller | Refused> {
      if (!places.isOpen(endpoint)) return GONE;
      if (caller.kind === 'anonymous') return anonymous.at(endpoint) ?? MISSING;
      if (caller.tokenId === null) return caller;
      const row = await store.byId(caller.tokenId);
      if (!row || !isValid(row)) return INVALID;
      const fresh = toCaller(withinBounds(row, caller.scope));
      if (fresh.scope.endpoints && !fresh.scope.endpoints.includes(endpoint)) return ELSEWHERE;
      return JSON.stringify(fresh) === JSON.stringify(caller) ? caller : fresh;
    },

    /** Drops what is remembered of a person or token, or of everybody. */
    forget(what: { userId?: string; tokenId?: string } | 'all') {
      generation += 1;
      if (what === 'all') return byHash.clear();
      for (const [hash, { row }] of byHash)
        if (row.userId === what.userId || row.tokenId === what.tokenId) byHash.delete(hash);
    },
  };
};

export type Identity = ReturnType<typeof createIdentity>;
