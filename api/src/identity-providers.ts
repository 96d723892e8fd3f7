import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';

const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Where people are sent with their passwords: never in clear over a network. */
const SecureUrl = z
  .url()
  .max(2_000)
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hostname, username, password } = new URL(text);
    if (username || password) return false;
    return protocol === 'https:' || (protocol === 'http:' && LOCAL.has(hostname));
  }, 'an https:// address without a password in it; http:// only on this machine');

const Claim = z.string().min(1).max(300);

/** OpenID Connect. */
export const OidcSettings = z.strictObject({
  issuer: SecureUrl.refine(
    (url) => !url.includes('/.well-known/'),
    'the issuer itself, without /.well-known/ …',
  ).describe('below it lies /.well-known/openid-configuration'),
  clientId: z.string().min(1).max(500),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'one scope each'))
    .max(50)
    .default(['openid', 'email', 'profile'])
    .refine((scopes) => scopes.includes('openid'), 'must hold openid'),
  emailClaim: Claim.default('email'),
  nameClaim: Claim.default('name'),
  groupsClaim: Claim.default('groups'),
  requireVerifiedEmail: z
    .boolean()
    .default(true)
    .describe('an e-mail address counts only with email_verified; false trusts one of which nothing is said'),
});
export type OidcSettings = z.output<typeof OidcSettings>;

/** SAML 2.0. On input, `metadata`, the XML of the provider, fills in the first three. */
export const SamlSettings = z.strictObject({
  entryPoint: SecureUrl.describe('of the HTTP-Redirect binding of single sign-on'),
  idpIssuer: z.string().min(1).max(1_024).describe('entity id of the provider'),
  certificates: z
    .array(z.string().min(1).max(20_000))
    .min(1)
    .max(10)
    .describe('PEM or base64; assertions are signed by one'),
  emailAttribute: Claim.default('email').describe('a name identifier in the format emailAddress counts too'),
  nameAttribute: Claim.default('name'),
  groupsAttribute: Claim.default('groups'),
  nameIdFormat: z
    .string()
    .min(1)
    .max(300)
    .nullable()
    .default(null)
    .describe('to ask for; null leaves it to the provider'),
  idpInitiated: z
    .boolean()
    .default(false)
    .describe('whoever comes from the page of the provider, unasked, is sent back there to sign in by our own request'),
});
export type SamlSettings = z.output<typeof SamlSettings>;

const MappedRole = z
  .union([z.literal(2), z.literal(3), Id])
  .describe('2 administrator, 3 user, "auditor", or the id of a role of the workspace; never the owner');
export type MappedRole = z.output<typeof MappedRole>;

/** Who is let in, and as what. What it leaves out lets nobody in. */
export const Mapping = z.strictObject({
  groups: z
    .array(
      z.strictObject({
        group: z.string().min(1).max(500),
        role: MappedRole.optional(),
        teams: z.array(Id).max(100).optional(),
      }),
    )
    .max(1_000)
    .default([])
    .describe('the first group that matches and has a role gives it; teams come from all that match'),
  defaultRole: MappedRole.nullable().default(null).describe('of those without a matching group; null keeps them out'),
  createUsers: z.boolean().default(true).describe('makes an account for somebody who is let in and has none'),
  allowedDomains: z
    .array(z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'a domain in lower case, such as example.com'))
    .max(100)
    .default([])
    .describe('of e-mail addresses; empty allows every one'),
  linkByEmail: z
    .boolean()
    .default(false)
    .describe('lets somebody take over the account with their verified e-mail address; needs allowedDomains'),
});
export type Mapping = z.output<typeof Mapping>;

export const IdentityProvider = z.object({
  providerId: Id,
  name: z.string(),
  kind: z.enum(['oidc', 'saml']),
  enabled: z.boolean(),
  settings: z.union([OidcSettings, SamlSettings]),
  mapping: Mapping,
  hasSecret: z.boolean(),
  addresses: z
    .object({ signIn: z.string(), callback: z.string(), metadata: z.string().nullable() })
    .describe('callback is the redirect URI of OpenID Connect or the assertion consumer service of SAML'),
  createdAt: Time,
  updatedAt: Time,
});
export type IdentityProvider = z.output<typeof IdentityProvider>;

const Name = z.string().min(1).max(100).describe('as the button on the sign-in page has it');
const Secret = z
  .string()
  .min(1)
  .max(10_000)
  .nullable()
  .describe('the client secret; never given back, null takes it away');
const Fields = z.record(z.string(), z.unknown());

const One = z.object({ providerId: Id });
const Found = z.object({ provider: IdentityProvider });

/** Where people of a workspace may sign in instead of here. */
export const identityProviders = {
  list: operation({
    method: 'GET',
    path: '/identity-providers',
    guard: 'administrator',
    summary: 'Identity providers of single sign-on, by id',
    input: z.object({}),
    output: z.object({ providers: z.array(IdentityProvider) }),
  }),
  get: operation({
    method: 'GET',
    path: '/identity-providers/:providerId',
    guard: 'administrator',
    summary: 'One identity provider',
    input: One,
    output: Found,
  }),
  create: operation({
    method: 'POST',
    path: '/identity-providers',
    guard: 'owner',
    givesAccess: true,
    summary: 'Let people sign in by OpenID Connect or SAML 2.0',
    input: z.object({
      providerId: Id,
      name: Name.optional(),
      kind: z.enum(['oidc', 'saml']),
      enabled: z.boolean().optional(),
      settings: Fields.describe('as they are given back; for SAML, metadata may stand for what it holds'),
      mapping: Mapping.optional(),
      secret: Secret.optional(),
    }),
    output: Found,
  }),
  update: operation({
    method: 'PATCH',
    path: '/identity-providers/:providerId',
    guard: 'owner',
    givesAccess: true,
    summary: 'Change an identity provider; sign-ins under way there begin again',
    input: z.object({
      providerId: Id,
      name: Name.optional(),
      enabled: z.boolean().optional(),
      settings: Fields.optional().describe('only what changes'),
      mapping: Fields.optional().describe('only what changes'),
      secret: Secret.optional(),
    }),
    output: Found,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/identity-providers/:providerId',
    guard: 'owner',
    summary: 'Remove an identity provider; the people stay, and who they were there is forgotten',
    input: One,
    output: Done,
  }),
  test: operation({
    method: 'POST',
    path: '/identity-providers/:providerId/test',
    guard: 'owner',
    summary: 'Look whether an identity provider answers and is set up so that somebody can sign in',
    input: One,
    output: z.object({
      ok: z.boolean(),
      checks: z.array(z.object({ ok: z.boolean(), message: z.string() })),
    }),
  }),
};
