import { z } from 'zod';
import { AUTH_METHODS, DEVICE_GRANT, EXCHANGE_GRANT } from './metadata.ts';
import type { RedirectRules } from './redirects.ts';
import { isMcpScope, scopesOf } from './scopes.ts';

const GRANTS = ['authorization_code', 'refresh_token', DEVICE_GRANT, EXCHANGE_GRANT];
const MAX_REDIRECTS = 20;
const text = z.string().max(300);
const page = z
  .string()
  .max(2_000)
  .regex(/^https:\/\//);

/** What is read of RFC 7591 metadata. Whatever else a client sends is left out: nothing of it is fetched or shown. */
const Body = z.object({
  redirect_uris: z.array(z.string()).max(MAX_REDIRECTS).default([]),
  client_name: text.optional(),
  client_uri: page.optional().catch(undefined),
  tos_uri: page.optional().catch(undefined),
  policy_uri: page.optional().catch(undefined),
  grant_types: z.array(z.string()).max(20).default(['authorization_code']),
  response_types: z.array(z.string()).max(5).optional(),
  scope: z.string().max(1_000).optional(),
  token_endpoint_auth_method: z.string().default('client_secret_basic'),
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(10) }).optional(),
});

const applicationType = (redirectUris: readonly string[]): 'web' | 'native' =>
  redirectUris.every((one) => one.startsWith('https://')) ? 'web' : 'native';

export type Registration = { metadata: Record<string, unknown> } | { error: string; description: string };

const bad = (description: string, error = 'invalid_client_metadata'): Registration => ({ error, description });

/** Metadata of a client that registers itself, or why it may not (RFC 7591, 3.2.2). */
export const readRegistration = (body: unknown, redirects: RedirectRules): Registration => {
  const read = Body.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    return bad(`${issue?.path.join('.') || 'The body'}: ${issue?.message ?? 'is not valid'}`);
  }
  const { redirect_uris, grant_types, scope, token_endpoint_auth_method, ...rest } = read.data;
  for (const one of redirect_uris) {
    const refusal = redirects.refusal(one);
    if (refusal) return bad(refusal, 'invalid_redirect_uri');
  }
  const grants = grant_types.filter((one) => GRANTS.includes(one));
  if (grants.length === 0) return bad(`grant_types: none of those is for a client that registers itself.`);
  const hasCode = grants.includes('authorization_code');
  if (hasCode && redirect_uris.length === 0)
    return bad('redirect_uris: at least one is needed.', 'invalid_redirect_uri');
  if (!AUTH_METHODS.some((method) => method === token_endpoint_auth_method))
    return bad(`token_endpoint_auth_method: must be one of ${AUTH_METHODS.join(', ')}.`);
  const scopes = scopesOf(scope).filter(isMcpScope);
  return {
    metadata: {
      ...rest,
      redirect_uris,
      grant_types: grants,
      response_types: hasCode ? ['code'] : [],
      token_endpoint_auth_method,
      application_type: applicationType(redirect_uris),
      ...(scopes.length > 0 && { peta_scopes: scopes }),
    },
  };
};

const KEPT = [
  'client_id',
  'client_name',
  'client_uri',
  'redirect_uris',
  'jwks',
  'jwks_uri',
  'token_endpoint_auth_method',
  // Refused, not ignored, where they stand in a document that anybody can read.
  'client_secret',
  'client_secret_expires_at',
];

/** What is read of a client's metadata document: what is meant for other servers is none of our business. */
export const readDocument = (text: string): string => {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return text;
  const given = Object.entries(document);
  const listed = (name: string): string[] => {
    const value = given.find(([key]) => key === name)?.[1];
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  };
  const grants = listed('grant_types').filter((one) => GRANTS.includes(one));
  return JSON.stringify({
    token_endpoint_auth_method: 'none',
    ...Object.fromEntries(given.filter(([key]) => KEPT.includes(key))),
    application_type: applicationType(listed('redirect_uris')),
    grant_types: grants.length > 0 ? grants : ['authorization_code'],
    response_types: ['code'],
  });
};
