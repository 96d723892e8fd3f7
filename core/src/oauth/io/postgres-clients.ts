import { eq } from 'drizzle-orm';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { type Database, schema } from '#db';
import type { Sealer } from '../ports.ts';

const { oauthClients: clients } = schema;

/** Where the registration that is going on comes from. */
type Options = { db: Database; sealer: Sealer; address(): string | null };

const bindingOf = (id: string) => ({ workspaceId: '', table: 'oauth_client', row: id, column: 'sealed_secret' });

/** What an administrator made, or what registered itself, under its id. */
export type KnownClient = { workspaceId: string | null; userId: string | null; metadata: Record<string, unknown> };

export const createClients = ({ db, sealer, address }: Options) => {
  const find = async (id: string) => (await db.select().from(clients).where(eq(clients.id, id)).limit(1))[0];

  const adapter: Adapter = {
    async upsert(id, payload) {
      const { client_secret: secret, ...metadata } = payload;
      const values = {
        metadata,
        sealedSecret: typeof secret === 'string' ? sealer.seal(secret, bindingOf(id)) : null,
      };
      await db
        .insert(clients)
        .values({ id, address: address(), ...values })
        .onConflictDoUpdate({ target: clients.id, set: values });
    },
    async find(id) {
      const row = await find(id);
      if (!row) return undefined;
      const secret = row.sealedSecret === null ? undefined : sealer.open(row.sealedSecret, bindingOf(id));
      return {
        ...row.metadata,
        client_id: id,
        ...(secret !== undefined && { client_secret: secret }),
      } as AdapterPayload;
    },
    async destroy(id) {
      await db.delete(clients).where(eq(clients.id, id));
    },
    // Clients are found by their id alone.
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async () => {},
    revokeByGrantId: async () => {},
  };

  return {
    adapter,
    async known(id: string): Promise<KnownClient | undefined> {
      return find(id);
    },
    async touched(id: string): Promise<void> {
      await db.update(clients).set({ lastUsedAt: new Date() }).where(eq(clients.id, id));
    },
  };
};

export type Clients = ReturnType<typeof createClients>;
