import type { Consent, OAuthClient } from '@peta/api';
import { and, desc, eq, exists, gt, isNull, ne, notExists, or } from 'drizzle-orm';
import { type Database, schema } from '#db';
import type { ClientSettings, OAuthStore } from '../oauth.ts';

const { oauthClients: clients, oauthRecords: records, users } = schema;

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

const toClient = ({ metadata, ...row }: typeof clients.$inferSelect): OAuthClient => ({
  clientId: row.id,
  name: typeof metadata.client_name === 'string' ? metadata.client_name : row.id,
  userId: row.userId,
  redirectUris: textsOf(metadata.redirect_uris),
  scopes: Array.isArray(metadata.peta_scopes) ? metadata.peta_scopes.map(String) : null,
  endpoints: Array.isArray(metadata.peta_endpoints) ? metadata.peta_endpoints.map(String) : null,
  isSelfRegistered: row.workspaceId === null,
  hasSecret: row.sealedSecret !== null,
  createdAt: row.createdAt.toISOString(),
  lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
});

/** RFC 7591 metadata of what an administrator says of a client. */
const metadataOf = ({ name, redirectUris, scopes, endpoints }: ClientSettings) => ({
  client_name: name,
  redirect_uris: redirectUris,
  application_type: redirectUris.every((one) => one.startsWith('https://')) ? 'web' : 'native',
  response_types: redirectUris.length > 0 ? ['code'] : [],
  ...(scopes && { peta_scopes: scopes }),
  ...(endpoints && { peta_endpoints: endpoints }),
});

const scopesIn = (resources: object): string[] => [
  ...new Set(Object.values(resources).flatMap((scope) => String(scope).split(' ').filter(Boolean))),
];

/** `seal` seals the secret of the client of this id. */
export const postgresOAuth = (db: Database, seal: (clientId: string, secret: string) => string): OAuthStore => {
  const allowedIn = (workspaceId: string) =>
    exists(
      db
        .select()
        .from(records)
        .where(and(eq(records.clientId, clients.id), eq(records.model, 'Grant'), eq(records.workspaceId, workspaceId))),
    );
  const visible = (workspaceId: string) =>
    or(eq(clients.workspaceId, workspaceId), and(isNull(clients.workspaceId), allowedIn(workspaceId)));

  const find = async (workspaceId: string, clientId: string) =>
    (
      await db
        .select()
        .from(clients)
        .where(and(eq(clients.id, clientId), visible(workspaceId)))
    )[0];

  return {
    async clients(workspaceId) {
      const rows = await db.select().from(clients).where(visible(workspaceId)).orderBy(desc(clients.createdAt));
      return rows.map(toClient);
    },

    async findClient(workspaceId, clientId) {
      const row = await find(workspaceId, clientId);
      return row && toClient(row);
    },

    async createClient(workspaceId, { clientId, userId, authMethod, secret, ...settings }) {
      const grants = [
        ...(settings.redirectUris.length > 0 ? ['authorization_code', 'refresh_token', DEVICE] : []),
        ...(userId === null ? [] : ['client_credentials']),
        EXCHANGE,
      ];
      const metadata = { ...metadataOf(settings), grant_types: grants, token_endpoint_auth_method: authMethod };
      const sealedSecret = secret === null ? null : seal(clientId, secret);
      const [row] = await db
        .insert(clients)
        .values({ id: clientId, workspaceId, userId, metadata, sealedSecret })
        .returning();
      if (!row) throw new Error('PostgreSQL inserted a client and returned none.');
      return toClient(row);
    },

    async updateClient(workspaceId, clientId, changes) {
      const before = await find(workspaceId, clientId);
      if (!before) return undefined;
      const { peta_scopes: _scopes, peta_endpoints: _endpoints, ...rest } = before.metadata;
      const metadata = { ...rest, ...metadataOf({ ...toClient(before), ...changes }) };
      const [row] = await db
        .update(clients)
        .set({ metadata })
        .where(and(eq(clients.id, clientId), eq(clients.workspaceId, workspaceId)))
        .returning();
      return row && toClient(row);
    },

    async removeClient(workspaceId, clientId) {
      const isUnused = notExists(
        db
          .select()
          .from(records)
          .where(and(eq(records.clientId, clients.id), ne(records.workspaceId, workspaceId))),
      );
      await db
        .delete(clients)
        .where(
          and(
            eq(clients.id, clientId),
            or(eq(clients.workspaceId, workspaceId), and(isNull(clients.workspaceId), isUnused)),
          ),
        );
    },

    async consents(workspaceId, userId) {
      const rows = await db
        .select({ record: records, metadata: clients.metadata })
        .from(records)
        .innerJoin(users, and(eq(users.workspaceId, records.workspaceId), eq(users.id, records.userId)))
        .leftJoin(clients, eq(clients.id, records.clientId))
        .where(
          and(
            eq(records.model, 'Grant'),
            eq(records.workspaceId, workspaceId),
            gt(records.expiresAt, new Date()),
            userId === undefined ? undefined : eq(records.userId, userId),
          ),
        )
        .orderBy(desc(records.createdAt));
      return rows.map(({ record, metadata }): Consent => {
        const { resources } = record.payload;
        const allowed = typeof resources === 'object' && resources !== null ? resources : {};
        return {
          consentId: record.grantId ?? '',
          userId: record.userId ?? '',
          clientId: record.clientId ?? '',
          clientName: typeof metadata?.client_name === 'string' ? metadata.client_name : null,
          scopes: scopesIn(allowed),
          resources: Object.keys(allowed),
          createdAt: record.createdAt.toISOString(),
          expiresAt: record.expiresAt?.toISOString() ?? null,
        };
      });
    },
  };
};
