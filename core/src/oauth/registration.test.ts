import { expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { createRedirectRules } from './redirects.ts';
import { readDocument, readRegistration } from './registration.ts';

const rules = createRedirectRules(readConfig({}).PETA_OAUTH_REDIRECT_PATTERNS);
const REDIRECT = 'http://localhost:1/cb';
const read = (body: unknown) => readRegistration(body, rules);

test('what is fetched, shown or trusted elsewhere is left out of a registration', () => {
  const { metadata } = read({
    redirect_uris: [REDIRECT],
    client_name: 'X',
    logo_uri: 'http://169.254.169.254/',
    jwks_uri: 'http://10.0.0.1/',
    sector_identifier_uri: 'https://evil.example',
    client_id: 'chosen',
    client_secret: 'chosen',
    peta_endpoints: ['/mcp'],
    scope: 'mcp:tools other',
    id_token_signed_response_alg: 'none',
  }) as { metadata: Record<string, unknown> };
  expect(metadata).toEqual({
    redirect_uris: [REDIRECT],
    client_name: 'X',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    application_type: 'native',
    peta_scopes: ['mcp:tools'],
  });
});

test.each([
  ['without an address to answer to', {}, 'invalid_redirect_uri'],
  ['with a bad one among good ones', { redirect_uris: [REDIRECT, 'javascript:x'] }, 'invalid_redirect_uri'],
  ['with too many', { redirect_uris: Array.from({ length: 21 }, () => REDIRECT) }, 'invalid_client_metadata'],
  ['for credentials of its own', { grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
  ['for implicit answers', { redirect_uris: [REDIRECT], grant_types: ['implicit'] }, 'invalid_client_metadata'],
  [
    'with an unknown way to prove itself',
    { redirect_uris: [REDIRECT], token_endpoint_auth_method: 'x' },
    'invalid_client_metadata',
  ],
  ['that is no object', [], 'invalid_client_metadata'],
  ['that is nothing', undefined, 'invalid_client_metadata'],
])('a registration %s is refused', (_what, body, error) => {
  expect(read(body)).toMatchObject({ error });
});

test('of a metadata document only what concerns us is read, and secrets in it are not overlooked', () => {
  const text = readDocument(
    JSON.stringify({
      client_id: 'https://a.example/c',
      redirect_uris: [REDIRECT],
      scope: 'other:scope',
      logo_uri: 'http://10.0.0.1',
      grant_types: ['authorization_code', 'refresh_token', 'password'],
      client_secret: 's',
    }),
  );
  expect(JSON.parse(text)).toEqual({
    client_id: 'https://a.example/c',
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    client_secret: 's',
  });
  expect(readDocument('no json')).toBe('no json');
});
