import type { FastifyInstance } from 'fastify';
import type { JsonObject } from '#call';
import type { Database } from '../db/db.ts';
import { withDatabase } from '../db/unavailable.ts';
import { createRateLimit } from '../lib/rate-limit.ts';
import type { AdminChange } from '../path/audit/audit.ts';
import { namedCaller } from '../path/identity/person.ts';
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
  audit: { changed(change: AdminChange): Promise<void> };
  publish: SsoPorts['publish'];
};

const toChange = ({
  workspaceId,
  providerId,
  userId,
  role,
  address,
  operation,
  details,
  outcome,
  error,
}: SsoRecord): AdminChange => ({
  caller:
    userId === null
      ? { ...namedCaller(workspaceId, ''), kind: 'anonymous', userId }
      : { ...namedCaller(workspaceId, userId), role: role === 1 || role === 2 ? role : 3 },
  address,
  operation,
  target: userId ?? providerId,
  details: { provider: providerId, ...(details as JsonObject) },
  outcome,
  error,
});

/** Single sign-on: its pages, and what the sign-in page offers. */
export const buildSso = ({ app, db, signIns, sealer, baseUrl, fetch, audit, publish, now }: SsoOptions) => {
  const providers = postgresProviders(db, sealer);
  registerSso(app, {
    providers,
    people: postgresPeople(db),
    steps: createSteps({ store: postgresSteps(db), sealer, now }),
    oidc: createOidc({ fetch }),
    saml: createSaml({ now }),
    signIns,
    baseUrl,
    audit: (record) => audit.changed(toChange(record)),
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
