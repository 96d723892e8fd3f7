import * as oauth from 'oauth4webapi';
import { post } from './raw.ts';

/** Loopback speaks plain http. */
export const insecure = { [oauth.allowInsecureRequests]: true };

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** The authorization server that an address of MCP leads to, found as a client that knows nothing else finds it. */
export const discover = async (mcpUrl: string) => {
  const refused = await post(mcpUrl, { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} });
  const challenge = refused.headers.get('www-authenticate') ?? '';
  const metadataUrl = /resource_metadata="([^"]+)"/.exec(challenge)?.[1];
  if (refused.status !== 401 || metadataUrl === undefined) throw new Error(`No way from ${mcpUrl}: ${challenge}`);
  const resource = new URL(mcpUrl);
  const described = await oauth.processResourceDiscoveryResponse(
    resource,
    await oauth.resourceDiscoveryRequest(resource, insecure),
  );
  const issuer = new URL(described.authorization_servers?.[0] ?? '');
  const server = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
  );
  return { challenge, metadataUrl, described, server };
};

/** An access token for a client's own credentials. */
export const byCredentials = async (
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  secret: string,
  parameters: Record<string, string> = {},
) => {
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    oauth.ClientSecretBasic(secret),
    new URLSearchParams(parameters),
    insecure,
  );
  return oauth.processClientCredentialsResponse(server, client, response);
};

/** Exchanges a token for a short one, without a client of one's own. */
export const exchange = (server: oauth.AuthorizationServer, token: string, parameters: Record<string, string> = {}) =>
  fetch(server.token_endpoint ?? '', {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: EXCHANGE,
      subject_token: token,
      subject_token_type: ACCESS_TOKEN,
      ...parameters,
    }),
  });
