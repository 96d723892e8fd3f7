import type { FastifyInstance } from 'fastify';
import { type Database, inWorkspace } from '../db/db.ts';
import { withDatabase } from '../db/unavailable.ts';
import { createRateLimit } from '../lib/rate-limit.ts';
import type { PeopleStore } from '../sso/admit.ts';
import { createOidc, type Fetch } from '../sso/io/oidc.ts';
import type { SignIns, SsoPorts, SsoRecord } from '../sso/io/ports.ts';
import { postgresPeople, postgresProviders, postgresSteps } from '../sso/io/postgres-sso.ts';
import { registerSso } from '../sso/io/routes.ts';
import { createSaml } from '../sso/io/saml.ts';
import { createSteps, type Sealer } from '../sso/steps.ts';

type TestOptions = { db: Database; sealer: Sealer; fetch: Fetch; now(): number };

/** Looks whether a provider answers and is set up as a sign-in needs it. */
export const buildProviderTest = ({ db, sealer, fetch, now }: TestOptions) => {
  const providers = postgresProviders(db, sealer);
  const oidc = createOidc({ fetch });
  const saml = createSaml({ now });
  return async (workspaceId: string, providerId: string): Promise<{ ok: boolean; message: string }[]> => {
    const provider = await providers.find(workspaceId, providerId);
    if (!provider) return [];
    const checks = provider.kind === 'oidc' ? await oidc.check(provider) : saml.check(provider);
    return provider.enabled ? checks : [...checks, { ok: false, message: 'It is switched off.' }];
  };
};

export type SsoOptions = TestOptions & {
  app: FastifyInstance;
  signIns: SignIns;
  baseUrl(): string;
  /** Writes a sign-in down, or why there was none. */
  note(record: Omit<SsoRecord, 'providerId'>): Promise<void>;
  publish: SsoPorts['publish'];
};

/** Everything of one person is in one workspace, and the database holds us to that. */
const walled = (people: PeopleStore): PeopleStore => ({
  byIdentity: (identity) => inWorkspace(identity.workspaceId, () => people.byIdentity(identity)),
  byEmail: (workspaceId, ...rest) => inWorkspace(workspaceId, () => people.byEmail(workspaceId, ...rest)),
  link: (identity, userId) => inWorkspace(identity.workspaceId, () => people.link(identity, userId)),
  create: (identity, account) => inWorkspace(identity.workspaceId, () => people.create(identity, account)),
  follow: (workspaceId, ...rest) => inWorkspace(workspaceId, () => people.follow(workspaceId, ...rest)),
});

/** Single sign-on: its pages, and what the sign-in page offers. */
export const buildSso = ({ app, db, signIns, sealer, baseUrl, fetch, note, publish, now }: SsoOptions) => {
  const providers = postgresProviders(db, sealer);
  registerSso(app, {
    providers,
    people: walled(postgresPeople(db)),
    steps: createSteps({ store: postgresSteps(db), sealer, now }),
    oidc: createOidc({ fetch }),
    saml: createSaml({ now }),
    signIns,
    baseUrl,
    audit: ({ providerId, details, ...record }) => note({ ...record, details: { provider: providerId, ...details } }),
    publish,
    withDatabase,
    take: createRateLimit(now),
    now,
  });
  return {
    /** The enabled providers of a workspace, for buttons that lead to `/sign-in/sso/<workspace>/<id>?next=…`. */
    providers: (workspaceId: string) => withDatabase(() => providers.enabled(workspaceId)),
  };
};
