import { randomBytes } from 'node:crypto';
import type { Mapping, OidcSettings, SamlSettings } from '@peta/api';
import { createBrowser } from '../../../e2e/harness/browser.ts';
import type { OidcIdp } from '../../../e2e/harness/oidc-idp.ts';
import type { SamlIdp } from '../../../e2e/harness/saml-idp.ts';
import { postgresIdentityProviders } from '../admin/io/postgres-identity-providers.ts';
import { createTestDatabase } from '../db/test-database.ts';
import { createApp } from '../http/io/app.ts';
import { createSealer } from '../path/vault/seal.ts';
import { readMetadata } from '../sso/io/saml-metadata.ts';
import { buildSso, type SsoOptions } from './sso.ts';

const W = 'default';

const MAPPING: Mapping = {
  groups: [],
  defaultRole: 3,
  createUsers: true,
  allowedDomains: [],
  linkByEmail: false,
};

/** Single sign-on on a real database and a real HTTP application; a cookie stands for the session it ends in. */
export const createTestSso = async () => {
  const database = await createTestDatabase();
  const { db } = database;
  const sealer = createSealer(randomBytes(32));
  const store = postgresIdentityProviders(db);
  const seen = { audit: [] as Parameters<SsoOptions['note']>[0][], published: [] as string[], faults: [] as unknown[] };
  /** What stands between Peta and the providers, and how late it is. */
  const world = {
    fetch: (url: string, init?: RequestInit): Promise<Response> => fetch(url, init),
    lateMs: 0,
  };
  const { app } = await createApp({
    hosts: { allowedHosts: [], allowedOrigins: [] },
    tls: undefined,
    maxBodyBytes: 100_000,
    onFault: (error) => void seen.faults.push(error),
  });
  let baseUrl = '';
  const sso = buildSso({
    app,
    db,
    sealer,
    signIns: {
      async begin(_request, reply, who) {
        reply.header('set-cookie', `peta_session=${encodeURIComponent(JSON.stringify(who))}; Path=/; HttpOnly`);
      },
    },
    baseUrl: () => baseUrl,
    fetch: (url, init) => world.fetch(url, init),
    note: async (record) => void seen.audit.push(record),
    publish: async ({ topic, id }) => void seen.published.push(`${topic} ${id}`),
    now: () => Date.now() + world.lateMs,
  });
  app.get('/account', { config: { guard: 'open' } }, async () => 'The account page');
  app.get('/elsewhere', { config: { guard: 'open' } }, async () => 'Somewhere else');
  baseUrl = await app.listen({ host: '127.0.0.1', port: 0 });

  const query = async <T = Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<T[]> =>
    (await db.$client.query(sql, values)).rows as T[];
  const addressOf = (providerId: string) => `${baseUrl}/sign-in/sso/${W}/${providerId}`;

  return {
    db,
    seen,
    world,
    store,
    query,
    addressOf,
    providers: sso.providers,
    baseUrl,

    async addOidc(
      idp: OidcIdp,
      mapping: Partial<Mapping> = {},
      settings: Partial<OidcSettings> = {},
      providerId = 'company',
    ) {
      const place = { workspaceId: W, table: 'identity_provider', row: providerId, column: 'sealed_secret' };
      await store.create(W, {
        providerId,
        name: 'The <Company>',
        kind: 'oidc',
        enabled: true,
        settings: {
          issuer: idp.issuer,
          clientId: idp.clientId,
          scopes: ['openid', 'email', 'profile'],
          emailClaim: 'email',
          nameClaim: 'name',
          groupsClaim: 'groups',
          requireVerifiedEmail: true,
          ...settings,
        },
        mapping: { ...MAPPING, ...mapping },
        sealedSecret: sealer.seal(idp.secret, place),
      });
      idp.register(`${addressOf(providerId)}/callback`);
    },

    async addSaml(
      idp: SamlIdp,
      mapping: Partial<Mapping> = {},
      settings: Partial<SamlSettings> = {},
      providerId = 'company',
    ) {
      await store.create(W, {
        providerId,
        name: 'The <Company>',
        kind: 'saml',
        enabled: true,
        settings: {
          ...(await readMetadata(idp.metadata)),
          emailAttribute: 'email',
          nameAttribute: 'name',
          groupsAttribute: 'groups',
          nameIdFormat: null,
          idpInitiated: false,
          ...settings,
        },
        mapping: { ...MAPPING, ...mapping },
      });
    },

    addPerson: (id: string, { email = null as string | null, role = 3, status = 1, kind = 'person' } = {}) =>
      query(
        `insert into "user" (workspace_id, id, name, email, role, status, kind) values ($1, $2, $2, $3, $4, $5, $6)`,
        [W, id, email, role, status, kind],
      ),

    async person(id: string) {
      const [person] = await query('select id, name, email, role, role_id, status from "user" where id = $1', [id]);
      const teams = await query<{ team_id: string }>('select team_id from team_member where user_id = $1 order by 1', [
        id,
      ]);
      return person && { ...person, teams: teams.map(({ team_id }) => team_id) };
    },

    /** Goes through a sign-in in a browser, and says as whom it ended. */
    async signIn(browser = createBrowser(), next = '/account', providerId = 'company') {
      const page = await browser.open(`${addressOf(providerId)}?${new URLSearchParams({ next })}`);
      return { ...page, who: whoIs(browser, baseUrl) };
    },
    who: (browser: ReturnType<typeof createBrowser>) => whoIs(browser, baseUrl),

    async clear() {
      for (const list of [seen.audit, seen.published, seen.faults]) list.length = 0;
      world.fetch = (url, init) => fetch(url, init);
      world.lateMs = 0;
      for (const table of ['identity_provider', '"user"', 'team', 'role', 'sign_in_step'])
        await query(`delete from ${table}`);
    },

    async close() {
      await app.close();
      await database.drop();
    },
  };
};

type Who = { workspaceId: string; userId: string; methods: string[]; providerId: string };

const whoIs = (browser: ReturnType<typeof createBrowser>, baseUrl: string): Who | undefined => {
  const cookie = browser.cookies(baseUrl).get('peta_session');
  return cookie === undefined ? undefined : (JSON.parse(decodeURIComponent(cookie)) as Who);
};

export type TestSso = Awaited<ReturnType<typeof createTestSso>>;
