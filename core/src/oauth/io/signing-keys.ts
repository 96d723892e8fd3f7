import { and, desc, isNotNull, isNull, lt, sql } from 'drizzle-orm';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { type Database, schema } from '#db';
import { SIGNING_ALG } from '../metadata.ts';
import type { Sealer } from '../ports.ts';

const { signingKeys: table } = schema;

type Options = {
  db: Database;
  sealer: Sealer;
  now(): number;
  /** A key signs for so long. */
  rotateMs: number;
};

export type SigningKey = { kid: string; jwk: JWK; createdAt: Date; retiredAt: Date | null };

/** Longer than any token lives that a retired key has signed. */
const KEEP_RETIRED_MS = 3_600_000;
const RELOAD_AT_MOST_MS = 2_000;

const bindingOf = (kid: string) => ({ workspaceId: '', table: 'signing_key', row: kid, column: 'sealed_key' });

const newKey = async (): Promise<{ kid: string; jwk: JWK }> => {
  const { privateKey } = await generateKeyPair(SIGNING_ALG, { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, jwk: { ...jwk, kid, use: 'sig', alg: SIGNING_ALG } };
};

/**
 * Keys that access tokens are signed with, the one that signs first. Made on first use and replaced when it is time, by
 * one replica for all; the others learn of it when they next look.
 */
export const createSigningKeys = ({ db, sealer, now, rotateMs }: Options) => {
  let keys: readonly SigningKey[] = [];
  let publicKeys = new Map<string, Awaited<ReturnType<typeof importJWK>>>();
  let lookedAt = 0;

  const open = ({ id, sealedKey, createdAt, retiredAt }: typeof table.$inferSelect): SigningKey[] => {
    try {
      return [{ kid: id, jwk: JSON.parse(sealer.open(sealedKey, bindingOf(id))) as JWK, createdAt, retiredAt }];
    } catch {
      // Sealed with a master key that is no more: nobody can sign with it, and nobody has to verify.
      return [];
    }
  };

  const isDue = ({ createdAt }: SigningKey): boolean => now() - createdAt.getTime() >= rotateMs;

  const take = async (rows: (typeof table.$inferSelect)[]): Promise<void> => {
    const found = rows.flatMap(open).sort((a, b) => Number(a.retiredAt !== null) - Number(b.retiredAt !== null));
    const imported = await Promise.all(
      found.map(async ({ kid, jwk: { d: _d, ...jwk } }) => [kid, await importJWK(jwk, SIGNING_ALG)] as const),
    );
    publicKeys = new Map(imported);
    if (found.map(({ kid }) => kid).join() !== keys.map(({ kid }) => kid).join()) keys = found;
    lookedAt = now();
  };

  const load = async (isForced: boolean): Promise<void> => {
    const stored = await db.select().from(table).orderBy(desc(table.createdAt));
    const active = stored.flatMap(open).find(({ retiredAt }) => retiredAt === null);
    if (active && !isDue(active) && !isForced) return take(stored);
    await take(
      await db.transaction(async (tx) => {
        await tx.execute(sql`select pg_advisory_xact_lock(hashtext('peta signing keys'))`);
        const select = () => tx.select().from(table).orderBy(desc(table.createdAt));
        const current = (await select()).flatMap(open).find(({ retiredAt }) => retiredAt === null);
        // Another replica was first.
        if (current && current.kid !== active?.kid) return select();
        if (current && !isDue(current) && !isForced) return select();
        const at = new Date(now());
        const { kid, jwk } = await newKey();
        await tx
          .delete(table)
          .where(and(isNotNull(table.retiredAt), lt(table.retiredAt, new Date(now() - KEEP_RETIRED_MS))));
        await tx.update(table).set({ retiredAt: at }).where(isNull(table.retiredAt));
        const sealedKey = sealer.seal(JSON.stringify(jwk), bindingOf(kid));
        await tx.insert(table).values({ id: kid, sealedKey, createdAt: at });
        return select();
      }),
    );
  };

  return {
    /** As of the last look; another array when they changed. */
    all: (): readonly SigningKey[] => keys,
    /** Looks again, and replaces the key when it is time. */
    refresh: (): Promise<void> => load(false),
    /** Replaces the key now. What it has signed stays good until it ends. */
    rotate: (): Promise<void> => load(true),

    /** A public key; one that is unknown may be new, so we look again, not too often. */
    async verifier(kid: string): Promise<Awaited<ReturnType<typeof importJWK>> | undefined> {
      if (!publicKeys.has(kid) && now() - lookedAt > RELOAD_AT_MOST_MS) await load(false);
      return publicKeys.get(kid);
    },

    /** What anybody may know (RFC 7517). */
    publicSet: (): { keys: JWK[] } => ({ keys: keys.map(({ jwk: { d: _d, ...jwk } }) => jwk) }),
  };
};

export type SigningKeys = ReturnType<typeof createSigningKeys>;
