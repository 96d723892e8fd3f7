import { MCP_SCOPES, OWN_SCOPES } from './scopes.ts';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const GRANTS = ['authorization_code', 'refresh_token', 'client_credentials', DEVICE_GRANT, EXCHANGE_GRANT];
export const AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const;
export const SIGNING_ALG = 'ES256';
const CLIENT_ALGS = ['ES256', 'RS256', 'PS256', 'EdDSA'];

/** RFC 8414 and OpenID Connect Discovery: one document for both. */
export const serverMetadata = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/oauth/authorize`,
  token_endpoint: `${issuer}/oauth/token`,
  registration_endpoint: `${issuer}/oauth/register`,
  introspection_endpoint: `${issuer}/oauth/introspect`,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  device_authorization_endpoint: `${issuer}/oauth/device/authorize`,
  jwks_uri: `${issuer}/oauth/jwks`,
  scopes_supported: [...MCP_SCOPES, ...OWN_SCOPES],
  response_types_supported: ['code'],
  response_modes_supported: ['query'],
  grant_types_supported: GRANTS,
  token_endpoint_auth_methods_supported: AUTH_METHODS,
  token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGS,
  introspection_endpoint_auth_methods_supported: AUTH_METHODS,
  introspection_endpoint_auth_signing_alg_values_supported: CLIENT_ALGS,
  revocation_endpoint_auth_methods_supported: AUTH_METHODS,
  revocation_endpoint_auth_signing_alg_values_supported: CLIENT_ALGS,
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
  client_id_metadata_document_supported: true,
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: [SIGNING_ALG],
  claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat'],
});

/** RFC 9728, of one endpoint. */
export const resourceMetadata = (resource: string, issuer: string) => ({
  resource,
  authorization_servers: [issuer],
  scopes_supported: MCP_SCOPES,
  bearer_methods_supported: ['header'],
  resource_name: 'Peta',
});
