import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Arrival, type Caller, FIRST_WORKSPACE, type Refused, type Scope } from '#call';
import { createRateLimit } from '#lib/rate-limit';
import { hashToken } from '#lib/token';
import { createAnonymous, type EndpointPort } from './anonymous.ts';
import { type CredentialScope, isEnabled, namedCaller, narrowed, type Person, toCaller } from './person.ts';

/** What somebody proves who they are with, a service token for one, and the person behind it, as stored. */
export type TokenRow = Person & {
  /** Of a service token a UUID; other kinds carry a prefix of their own. */
  tokenId: string;
  expiresAt: Date | null;
  revokedAt: Date | null;
  scope: CredentialScope;
  /** The one endpoint that an access token was issued for: anywhere else it is no token at all. */
  audience?: string | undefined;
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

const refused = (reason: string): Refused => ({ kind: 'refused', code: 'unauthenticated', reason });
const MISSING = refused('A token is needed: send it as "Authorization: Bearer …".');
const INVALID = refused('The token is not valid: it may be mistyped, expired or revoked. Ask for a new one.');
const FOREIGN = refused('The token was issued for another address: ask for one whose resource is this one.');
const ELSEWHERE: Refused = { kind: 'refused', code: 'wrong-endpoint', reason: 'The token is not for this endpoint.' };
const NOT_MCP: Refused = {
  kind: 'refused',
  code: 'wrong-endpoint',
  reason: 'The token is for some operations and not for MCP: use one whose operations include "mcp".',
};

/** Told to whoever is known: an endpoint is one of the caller's own workspace, or none. */
const noEndpoint = (path: string): Refused => ({
  kind: 'refused',
  code: 'unknown-endpoint',
  reason: `There is no endpoint at ${path}, or it is switched off. Check the address, or ask an administrator for it; /mcp shows all that a token may use.`,
});
const GONE: Refused = { kind: 'refused', code: 'wrong-endpoint', reason: 'This endpoint is not there any more.' };

/** What a credential may do today, and no more than what it was let in with: an access token carries its own bounds. */
const withinBounds = ({ scope, ...row }: TokenRow, bounds: Scope): TokenRow => ({
  ...row,
  scope: narrowed(scope, bounds),
});

/** Whoever can read PETA_HOME owns this Peta: the key in it acts as the owner. */
export const MACHINE: Caller = { ...namedCaller(FIRST_WORKSPACE, null), kind: 'machine', role: 1 };

const isMcp = (endpoint: string): boolean => /^\/mcp(\/|$)/.test(endpoint);

/** Bearer tokens → callers. Verified ones are remembered until they change; an unknown one is asked for each time. */
export const createIdentity = ({ store, endpoints: places, machineKeyHash, now, touched }: Options) => {
  const byHash = new LRUCache<string, Known>({ max: MAX_KNOWN });
  const asking = new Map<string, Promise<Known | undefined>>();
  const machineHash = Buffer.from(machineKeyHash, 'hex');
  const anonymous = createAnonymous({ endpoints: places, take: createRateLimit(now) });
  let generation = 0;

  const isPast = (time: Date | null): boolean => time !== null && time.getTime() <= now();
  const isValid = (row: TokenRow): boolean => !isPast(row.revokedAt) && !isPast(row.expiresAt) && isEnabled(row, now());

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

  const forget = (what: { userId?: string; tokenId?: string; workspaceId?: string } | 'all'): void => {
    generation += 1;
    for (const [hash, { row }] of byHash)
      if (
        what === 'all' ||
        row.userId === what.userId ||
        row.ownerUserId === what.userId ||
        row.tokenId === what.tokenId ||
        row.workspaceId === what.workspaceId
      )
        byHash.delete(hash);
  };

  return {
    /** Who sent this, or why they are not let in. Rejects when a token must be looked up and cannot be. */
    async identify(arrival: Arrival): Promise<Caller | Refused> {
      const { bearer, endpoint } = arrival;
      if (bearer === undefined) return anonymous.admit(arrival) ?? MISSING;
      const hash = hashToken(bearer);
      if (timingSafeEqual(Buffer.from(hash, 'hex'), machineHash))
        return places.isOpen(MACHINE.workspaceId, endpoint) ? MACHINE : noEndpoint(endpoint);
      const known = await find(bearer, hash);
      if (!known) return INVALID;
      const { workspaceId, scope } = known.caller;
      if (!isValid(known.row)) return { ...INVALID, workspaceId };
      if (known.row.audience !== undefined && known.row.audience !== endpoint) return { ...FOREIGN, workspaceId };
      if (scope.endpoints && !scope.endpoints.includes(endpoint)) return { ...ELSEWHERE, workspaceId };
      if (scope.operations && !scope.operations.includes('mcp') && isMcp(endpoint)) return { ...NOT_MCP, workspaceId };
      if (!places.isOpen(workspaceId, endpoint)) return { ...noEndpoint(endpoint), workspaceId };
      touched(known.row.tokenId);
      return known.caller;
    },

    /** The caller of a credential that was proved elsewhere, such as a browser's sign-in, or why they are not let in. */
    async byTokenId(tokenId: string): Promise<Caller | Refused> {
      const row = await store.byId(tokenId);
      return row && isValid(row) ? toCaller(row) : INVALID;
    },

    /** The same caller with today's permissions, or the reason why no more. */
    async current(caller: Caller, endpoint: string): Promise<Caller | Refused> {
      if (!places.isOpen(caller.workspaceId, endpoint)) return GONE;
      if (caller.kind === 'anonymous') return anonymous.at(endpoint) ?? MISSING;
      if (caller.tokenId === null) return caller;
      const row = await store.byId(caller.tokenId);
      if (!row || !isValid(row)) {
        // Whoever is found out here is turned away at the door from now on, though word of it may still be on its way.
        forget({ tokenId: caller.tokenId });
        return INVALID;
      }
      const fresh = toCaller(withinBounds(row, caller.scope));
      if (fresh.scope.endpoints && !fresh.scope.endpoints.includes(endpoint)) return ELSEWHERE;
      return JSON.stringify(fresh) === JSON.stringify(caller) ? caller : fresh;
    },

    /** Drops what is remembered of a person and their agents, a token or a workspace, or of everybody. */
    forget,
  };
};

export type Identity = ReturnType<typeof createIdentity>;
