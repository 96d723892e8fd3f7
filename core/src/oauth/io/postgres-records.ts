import { and, eq, gt, isNotNull, isNull, lt, notExists, or, sql } from 'drizzle-orm';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { type Database, schema } from '#db';
import { hashToken } from '#lib/token';
import { accountOf, tokenIdOfClient, tokenIdOfGrant } from '../account.ts';
import type { Revoked, Sealer } from '../ports.ts';

const { oauthRecords: records, oauthClients: clients, users } = schema;

type Options = { db: Database; sealer: Sealer; revoked: Revoked };
type Row = typeof records.$inferSelect;

/** Models whose payload tells no secret: it is kept so that it can be looked through. */
const PLAIN = new Set(['Grant', 'AccessToken', 'ClientCredentials']);
const ACCESS = new Set(['AccessToken', 'ClientCredentials']);
/** A client that registered itself and that nobody allowed anything within this time is forgotten. */
const UNUSED_CLIENT_MS = 24 * 3_600_000;

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const hashed = (value: unknown): string | null => (typeof value === 'string' ? hashToken(value) : null);

/** Where the access tokens of a record's grant or client are known by. */
const tokenIdOf = (row: Pick<Row, 'grantId' | 'clientId' | 'payload'>): string | null => {
  const { tokenId } = row.payload;
  if (typeof tokenId === 'string') return tokenId;
  if (row.grantId !== null) return tokenIdOfGrant(row.grantId);
  return row.clientId === null ? null : tokenIdOfClient(row.clientId);
};

/**
 * What the authorization server keeps. Ids and codes are here as SHA-256, and everything that tells one is sealed.
 */
export const createRecords = ({ db, sealer, revoked }: Options) => {
  const bindingOf = (model: string, hash: string) => ({
    workspaceId: '',
    table: 'oauth_record',
    row: `${model} ${hash}`,
    column: 'payload',
  });
  const at = (model: string, hash: string) => and(eq(records.model, model), eq(records.hash, hash));

  const keptPayload = (model: string, hash: string, payload: AdapterPayload): Row['payload'] => {
    const { consumed: _consumed, ...rest } = payload;
    if (!PLAIN.has(model)) return { sealed: sealer.seal(JSON.stringify(rest), bindingOf(model, hash)) };
    const { jti, ...plain } = rest;
    return model === 'Grant' ? { ...plain, jti } : plain;
  };

  const toPayload = (row: Row, id: string | undefined): AdapterPayload => {
    const { sealed } = row.payload;
    const payload =
      typeof sealed === 'string'
        ? (JSON.parse(sealer.open(sealed, bindingOf(row.model, row.hash))) as AdapterPayload)
        : { ...row.payload, ...(id !== undefined && { jti: id }) };
    const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);
    return {
      ...payload,
      ...(row.expiresAt && { exp: seconds(row.expiresAt) }),
      ...(row.consumedAt && { consumed: seconds(row.consumedAt) }),
    };
  };

  const find = async (where: ReturnType<typeof at>, id?: string): Promise<AdapterPayload | undefined> => {
    const [row] = await db.select().from(records).where(where).limit(1);
    return row && toPayload(row, id);
  };

  /** Tells everybody that the access tokens of these rows are over, each credential once. */
  const tell = async (rows: readonly Row[]): Promise<void> => {
    const told = new Map(
      rows
        .filter(({ model }) => model === 'Grant' || ACCESS.has(model))
        .map((row) => [tokenIdOf(row), row.workspaceId ?? ''] as const),
    );
    for (const [tokenId, workspaceId] of told) if (tokenId !== null) await revoked(workspaceId, tokenId);
  };

  const remove = async (where: ReturnType<typeof at>): Promise<Row[]> => {
    const gone = await db.delete(records).where(where).returning();
    await tell(gone);
    return gone;
  };

  /** Ends a grant with everything that came of it. */
  const endGrant = (grantId: string): Promise<Row[]> => remove(eq(records.grantId, grantId));

  const adapter = (model: string): Adapter => ({
    async upsert(id, payload, expiresIn) {
      const hash = hashToken(id);
      const account = accountOf(text(payload.accountId) ?? '');
      const values = {
        payload: keptPayload(model, hash, payload),
        workspaceId: account?.workspaceId ?? null,
        userId: account?.userId ?? null,
        clientId: text(payload.clientId),
        grantId: model === 'Grant' ? id : text(payload.grantId),
        userCodeHash: hashed(payload.userCode),
        uidHash: hashed(payload.uid),
        expiresAt: expiresIn ? new Date(Date.now() + expiresIn * 1000) : null,
      };
      await db
        .insert(records)
        .values({ model, hash, ...values })
        .onConflictDoUpdate({ target: [records.model, records.hash], set: values });
    },

    find: (id) => find(at(model, hashToken(id)), id),
    findByUid: (uid) => find(and(eq(records.model, model), eq(records.uidHash, hashToken(uid)))),
    findByUserCode: (code) => find(and(eq(records.model, model), eq(records.userCodeHash, hashToken(code)))),

    /** Once: whoever comes second, even at the same moment, has a copy, and the grant ends (RFC 9700, 4.14). */
    async consume(id) {
      const hash = hashToken(id);
      const used = await db
        .update(records)
        .set({ consumedAt: new Date() })
        .where(and(at(model, hash), isNull(records.consumedAt)))
        .returning({ hash: records.hash });
      if (used.length > 0) return;
      const [row] = await db.select({ grantId: records.grantId }).from(records).where(at(model, hash));
      if (row?.grantId) await endGrant(row.grantId);
      throw new errors.InvalidGrant('already used');
    },

    async destroy(id) {
      if (model === 'Grant') await endGrant(id);
      else await remove(at(model, hashToken(id)));
    },

    async revokeByGrantId(grantId) {
      await remove(and(eq(records.model, model), eq(records.grantId, grantId)));
    },
  });

  return {
    adapter,
    endGrant,

    /** Ends everything of a client in a workspace. */
    async endClient(workspaceId: string, clientId: string): Promise<void> {
      await remove(and(eq(records.clientId, clientId), eq(records.workspaceId, workspaceId)));
      await revoked(workspaceId, tokenIdOfClient(clientId));
    },

    /** Ends everything of a person: whoever is given the same id later starts anew. */
    async endUser(workspaceId: string, userId: string): Promise<void> {
      await remove(and(eq(records.workspaceId, workspaceId), eq(records.userId, userId)));
      await db.delete(clients).where(and(eq(clients.workspaceId, workspaceId), eq(clients.userId, userId)));
    },

    /** The newest grant of a person to a client: what they allowed it before. */
    async grantOf(workspaceId: string, userId: string, clientId: string): Promise<string | undefined> {
      const [row] = await db
        .select({ grantId: records.grantId })
        .from(records)
        .where(
          and(
            eq(records.model, 'Grant'),
            eq(records.workspaceId, workspaceId),
            eq(records.userId, userId),
            eq(records.clientId, clientId),
            gt(records.expiresAt, new Date()),
          ),
        )
        .orderBy(sql`${records.createdAt} desc`)
        .limit(1);
      return row?.grantId ?? undefined;
    },

    /** Removes what has expired, and clients that registered themselves and were never allowed anything. */
    async sweep(): Promise<void> {
      await db.delete(records).where(lt(records.expiresAt, new Date()));
      await db.delete(records).where(
        and(
          isNotNull(records.userId),
          notExists(
            db
              .select()
              .from(users)
              .where(and(eq(users.workspaceId, records.workspaceId), eq(users.id, records.userId))),
          ),
        ),
      );
      const before = new Date(Date.now() - UNUSED_CLIENT_MS);
      await db
        .delete(clients)
        .where(
          and(
            isNull(clients.workspaceId),
            lt(clients.createdAt, before),
            or(isNull(clients.lastUsedAt), lt(clients.lastUsedAt, before)),
            notExists(db.select().from(records).where(eq(records.clientId, clients.id))),
          ),
        );
    },
  };
};

export type Records = ReturnType<typeof createRecords>;
