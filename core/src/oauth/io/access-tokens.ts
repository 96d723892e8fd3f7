import type { TokenScope } from '@peta/api';
import { and, eq, gt, inArray } from 'drizzle-orm';
import { type JWTPayload, jwtVerify } from 'jose';
import type { CapabilityKind } from '#call';
import { type Database, schema } from '#db';
import { hashToken } from '#lib/token';
import { tokenIdOfClient, tokenIdOfGrant } from '../account.ts';
import { SIGNING_ALG } from '../metadata.ts';
import type { Resources } from '../resources.ts';
import { kindsOf, scopesOf } from '../scopes.ts';
import type { SigningKeys } from './signing-keys.ts';

const { oauthRecords: records, oauthClients: clients } = schema;

/** What is read here of the person behind a credential; all of it goes back to where it came from. */
type Person = { workspaceId: string; userId: string };

/** The credential and the person behind it. */
type Row<P> = P & {
  tokenId: string;
  expiresAt: Date | null;
  revokedAt: Date | null;
  scope: TokenScope & { kinds?: CapabilityKind[] | undefined };
  /** The one endpoint that it is for. */
  audience?: string | undefined;
};

type Options<P extends Person> = {
  db: Database;
  keys: SigningKeys;
  resources: Resources;
  now(): number;
  /** Another credential, that an access token was exchanged for. */
  origin(tokenId: string): Promise<Row<P> | undefined>;
  person(workspaceId: string, userId: string): Promise<P | undefined>;
};

const CLOCK_SKEW_SECONDS = 5;
const PREFIX = 'oauth_';
const CLIENT = tokenIdOfClient('');

/** Whether something could be an access token of ours at all. */
export const looksSigned = (bearer: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(bearer);

/** Verifies access tokens with our own keys alone (RFC 9068), and looks up whether they still count. */
export const createAccessTokens = <P extends Person>(options: Options<P>) => {
  const { db, keys, resources, now, origin, person } = options;
  /** The claims of a token that we signed, that has not ended and is for an endpoint of ours. */
  const verified = async (bearer: string): Promise<(JWTPayload & { aud: string; jti: string }) | undefined> => {
    try {
      const { payload } = await jwtVerify(
        bearer,
        async ({ kid }) => {
          const key = await keys.verifier(kid ?? '');
          if (!key) throw new Error('no such key');
          return key;
        },
        {
          algorithms: [SIGNING_ALG],
          typ: 'at+jwt',
          issuer: resources.publicUrl(),
          requiredClaims: ['exp', 'iat', 'jti', 'sub', 'aud', 'client_id'],
          clockTolerance: CLOCK_SKEW_SECONDS,
          currentDate: new Date(now()),
        },
      );
      const { aud, jti } = payload;
      return typeof aud === 'string' && typeof jti === 'string' ? { ...payload, aud, jti } : undefined;
    } catch (error) {
      if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_J')) return undefined;
      if (error instanceof Error && error.message === 'no such key') return undefined;
      throw error;
    }
  };

  const grantIsThere = async (grantId: string): Promise<boolean> => {
    const found = await db
      .select({ hash: records.hash })
      .from(records)
      .where(
        and(eq(records.model, 'Grant'), eq(records.hash, hashToken(grantId)), gt(records.expiresAt, new Date(now()))),
      );
    return found.length > 0;
  };

  const holder = async (workspaceId: string | null, userId: string | null): Promise<P | undefined> =>
    workspaceId === null || userId === null ? undefined : person(workspaceId, userId);

  const ofGrant = async (grantId: string): Promise<Row<P> | undefined> => {
    const [grant] = await db
      .select()
      .from(records)
      .where(and(eq(records.model, 'Grant'), eq(records.hash, hashToken(grantId))));
    const who = grant && (await holder(grant.workspaceId, grant.userId));
    return who && { ...who, tokenId: tokenIdOfGrant(grantId), expiresAt: grant.expiresAt, revokedAt: null, scope: {} };
  };

  const ofClient = async (clientId: string): Promise<Row<P> | undefined> => {
    const [client] = await db.select().from(clients).where(eq(clients.id, clientId));
    const who = client && (await holder(client.workspaceId, client.userId));
    if (!who) return undefined;
    const { peta_scopes: scopes, peta_endpoints: endpoints } = client.metadata;
    const scope = {
      ...(Array.isArray(scopes) && { kinds: kindsOf(scopes.map(String)) }),
      ...(Array.isArray(endpoints) && { endpoints: endpoints.map(String) }),
    };
    return { ...who, tokenId: tokenIdOfClient(clientId), expiresAt: null, revokedAt: null, scope };
  };

  const byId = async (tokenId: string): Promise<Row<P> | undefined> => {
    if (tokenId.startsWith(CLIENT)) return ofClient(tokenId.slice(CLIENT.length));
    return tokenId.startsWith(PREFIX) ? ofGrant(tokenId.slice(PREFIX.length)) : undefined;
  };

  return {
    prefix: PREFIX,
    verified,
    byId,

    async byBearer(bearer: string): Promise<Row<P> | undefined> {
      const claims = await verified(bearer);
      const audience = claims && resources.endpointOf(claims.aud);
      if (!claims || audience === undefined) return undefined;
      const [record] = await db
        .select()
        .from(records)
        .where(
          and(
            inArray(records.model, ['AccessToken', 'ClientCredentials']),
            eq(records.hash, hashToken(claims.jti)),
            gt(records.expiresAt, new Date(now() - CLOCK_SKEW_SECONDS * 1000)),
          ),
        );
      if (!record) return undefined;
      if (record.grantId !== null && !(await grantIsThere(record.grantId))) return undefined;
      const { tokenId } = record.payload;
      const held =
        typeof tokenId === 'string'
          ? await (tokenId.startsWith(PREFIX) ? byId(tokenId) : origin(tokenId))
          : await byId(
              record.grantId === null ? tokenIdOfClient(record.clientId ?? '') : tokenIdOfGrant(record.grantId),
            );
      if (!held || held.userId !== record.userId || held.workspaceId !== record.workspaceId) return undefined;
      const ends = new Date(((claims.exp ?? 0) + CLOCK_SKEW_SECONDS) * 1000);
      return {
        ...held,
        audience,
        expiresAt: held.expiresAt && held.expiresAt < ends ? held.expiresAt : ends,
        // What it was exchanged for is confined as that is.
        scope: {
          ...held.scope,
          endpoints: [audience],
          kinds: kindsOf(scopesOf(typeof claims.scope === 'string' ? claims.scope : '')),
        },
      };
    },
  };
};

export type AccessTokens = ReturnType<typeof createAccessTokens<Person>>;
