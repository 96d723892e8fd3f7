import { type Handlers, type IdentityProvider, type MappedRole, Mapping, OidcSettings, SamlSettings } from '@peta/api';
import type { z } from 'zod';
import { invalid, noProvider, providerExists } from './errors.ts';
import type { Asker } from './run.ts';
import { callerOf } from './users.ts';

type Secret = { sealedSecret?: string | null };
/** An identity provider as stored, without its secret. */
export type StoredProvider = Omit<IdentityProvider, 'addresses'>;
type NewProvider = Pick<StoredProvider, 'providerId' | 'kind' | 'name' | 'settings' | 'mapping' | 'enabled'> & Secret;
type ProviderChanges = Partial<Pick<StoredProvider, 'name' | 'enabled' | 'settings' | 'mapping'>> &
  Secret & {
    /** Its people are other people now: who they were here is forgotten. */
    forgetPeople?: boolean;
  };

export type ProviderStore = {
  list(workspaceId: string): Promise<StoredProvider[]>;
  find(workspaceId: string, providerId: string): Promise<StoredProvider | undefined>;
  /** Undefined when the id is taken. */
  create(workspaceId: string, provider: NewProvider): Promise<StoredProvider | undefined>;
  update(workspaceId: string, providerId: string, changes: ProviderChanges): Promise<StoredProvider | undefined>;
  remove(workspaceId: string, providerId: string): Promise<boolean>;
  /** Those of these teams and roles that the workspace does not have. */
  missing(
    workspaceId: string,
    named: { teams: string[]; roles: string[] },
  ): Promise<{ teams: string[]; roles: string[] }>;
};

/** What the metadata of a SAML provider says of it. */
type SamlMetadata = Pick<SamlSettings, 'entryPoint' | 'idpIssuer' | 'certificates'>;
type Check = { ok: boolean; message: string };

export type ProviderPorts = {
  store: ProviderStore;
  seal(key: { workspaceId: string; providerId: string }, secret: string): string;
  /** Throws a sentence for what is no metadata of one provider. */
  readMetadata(xml: string): Promise<SamlMetadata>;
  /** A sentence for a certificate that cannot be read, or undefined. */
  certificateFault(certificate: string): string | undefined;
  /** Looks whether it answers; never rejects for what is wrong with it. */
  test(workspaceId: string, providerId: string): Promise<Check[]>;
  baseUrl(): string;
};

const BUILT_IN = 'auditor';

const parseAs = <T extends z.ZodType>(shape: T, field: string, value: unknown): z.output<T> => {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: 'not understood' };
  throw invalid(`${[field, ...path].join('.')}: ${message}`);
};

const rolesOf = ({ groups, defaultRole }: Mapping): MappedRole[] =>
  [...groups.map(({ role }) => role), defaultRole].filter((role) => role !== undefined && role !== null);

const issuerOf = (settings: StoredProvider['settings']): string =>
  'issuer' in settings ? settings.issuer : settings.idpIssuer;

/** Of whoever could sign the assertions: another one could name the same people. */
const anchorsOf = (settings: StoredProvider['settings']): string =>
  'issuer' in settings ? `${settings.issuer} ${settings.clientId}` : settings.idpIssuer;

const NOBODY: Check = {
  ok: false,
  message: 'Nobody is let in yet: map a group to a role, or set a default role.',
};

export const createIdentityProviders = (ports: ProviderPorts): Handlers<Asker>['identityProviders'] => {
  const { store, seal, readMetadata, certificateFault, baseUrl } = ports;

  const present = (workspaceId: string, provider: StoredProvider): IdentityProvider => {
    const signIn = `${baseUrl()}/sign-in/sso/${workspaceId}/${provider.providerId}`;
    const isSaml = provider.kind === 'saml';
    return {
      ...provider,
      addresses: {
        signIn,
        callback: `${signIn}/${isSaml ? 'acs' : 'callback'}`,
        metadata: isSaml ? `${signIn}/metadata` : null,
      },
    };
  };

  const find = async (workspaceId: string, providerId: string): Promise<StoredProvider> => {
    const provider = await store.find(workspaceId, providerId);
    if (!provider) throw noProvider(providerId);
    return provider;
  };

  const samlSettings = async ({ metadata, ...given }: Record<string, unknown>): Promise<SamlSettings> => {
    const read =
      metadata === undefined
        ? {}
        : await readMetadata(String(metadata)).catch((error: Error) => {
            throw invalid(`settings.metadata: ${error.message}`);
          });
    const settings = parseAs(SamlSettings, 'settings', { ...given, ...read });
    const fault = settings.certificates.map(certificateFault).find((one) => one !== undefined);
    if (fault !== undefined) throw invalid(`settings.certificates: ${fault}`);
    return settings;
  };

  const readSettings = (kind: 'oidc' | 'saml', given: Record<string, unknown>) =>
    kind === 'oidc' ? parseAs(OidcSettings, 'settings', given) : samlSettings(given);

  const checkMapping = async (workspaceId: string, mapping: Mapping): Promise<void> => {
    if (mapping.linkByEmail && mapping.allowedDomains.length === 0)
      throw invalid('mapping.linkByEmail: name in allowedDomains whose addresses the provider may vouch for.');
    const roles = rolesOf(mapping).filter((role) => typeof role === 'string' && role !== BUILT_IN) as string[];
    const teams = mapping.groups.flatMap((one) => one.teams ?? []);
    const missing = await store.missing(workspaceId, { roles, teams });
    if (missing.roles[0] !== undefined) throw invalid(`mapping: there is no role with the id "${missing.roles[0]}".`);
    if (missing.teams[0] !== undefined) throw invalid(`mapping: there is no team with the id "${missing.teams[0]}".`);
  };

  const checkSecret = (kind: 'oidc' | 'saml', secret: string | null | undefined): void => {
    if (kind === 'saml' && typeof secret === 'string') throw invalid('secret: a SAML provider has none.');
  };

  const sealed = (workspaceId: string, providerId: string, secret: string | null | undefined): Secret =>
    secret === undefined ? {} : { sealedSecret: secret === null ? null : seal({ workspaceId, providerId }, secret) };

  return {
    async list(_input, who) {
      const { workspaceId } = callerOf(who);
      return { providers: (await store.list(workspaceId)).map((provider) => present(workspaceId, provider)) };
    },

    async get({ providerId }, who) {
      const { workspaceId } = callerOf(who);
      return { provider: present(workspaceId, await find(workspaceId, providerId)) };
    },

    async create({ providerId, name = providerId, kind, enabled = true, secret, ...given }, who) {
      const { workspaceId } = callerOf(who);
      checkSecret(kind, secret);
      const settings = await readSettings(kind, given.settings);
      const mapping = given.mapping ?? Mapping.parse({});
      await checkMapping(workspaceId, mapping);
      const provider = await store.create(workspaceId, {
        providerId,
        name,
        kind,
        enabled,
        settings,
        mapping,
        ...sealed(workspaceId, providerId, secret),
      });
      if (!provider) throw providerExists(providerId);
      return { provider: present(workspaceId, provider) };
    },

    async update({ providerId, name, enabled, secret, ...given }, who) {
      const { workspaceId } = callerOf(who);
      const before = await find(workspaceId, providerId);
      who.before(before);
      checkSecret(before.kind, secret);
      const settings = given.settings && (await readSettings(before.kind, { ...before.settings, ...given.settings }));
      const mapping = given.mapping && parseAs(Mapping, 'mapping', { ...before.mapping, ...given.mapping });
      if (mapping) await checkMapping(workspaceId, mapping);
      const isOther = settings !== undefined && issuerOf(settings) !== issuerOf(before.settings);
      const isSecretStray = settings !== undefined && anchorsOf(settings) !== anchorsOf(before.settings);
      // A secret is for the provider that it was made at, and no other is to be told it.
      if (isSecretStray && before.hasSecret && secret === undefined)
        throw invalid('secret: the stored one belongs to another issuer or client. Give the new one along, or null.');
      const provider = await store.update(workspaceId, providerId, {
        ...(name !== undefined && { name }),
        ...(enabled !== undefined && { enabled }),
        ...(settings && { settings }),
        ...(mapping && { mapping }),
        ...(isOther && { forgetPeople: true }),
        ...sealed(workspaceId, providerId, secret),
      });
      if (!provider) throw noProvider(providerId);
      return { provider: present(workspaceId, provider) };
    },

    async remove({ providerId }, who) {
      const { workspaceId } = callerOf(who);
      who.before(await find(workspaceId, providerId));
      if (!(await store.remove(workspaceId, providerId))) throw noProvider(providerId);
      return { message: `The identity provider ${providerId} was removed.` };
    },

    async test({ providerId }, who) {
      const { workspaceId } = callerOf(who);
      const { mapping } = await find(workspaceId, providerId);
      const checks = [
        ...(await ports.test(workspaceId, providerId)),
        ...(rolesOf(mapping).length === 0 && mapping.groups.length === 0 ? [NOBODY] : []),
      ];
      return { ok: checks.every(({ ok }) => ok), checks };
    },
  };
};
