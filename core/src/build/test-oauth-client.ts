import { authorize, createBrowser, REDIRECT, sha256, type World } from './test-oauth.ts';

export const VERIFIER = 'v'.repeat(64);
type Answer = Record<string, unknown> & { status: number };

/** What clients do by hand, so that they can do it wrong. */
export const createTestClient = (world: World) => {
  const register = async (metadata: object = {}): Promise<string> => {
    const { clientAdapter } = world;
    const clientId = `c-${crypto.randomUUID()}`;
    await clientAdapter.upsert(clientId, {
      ...{
        client_name: 'Test client',
        redirect_uris: [REDIRECT],
        application_type: 'native',
        response_types: ['code'],
      },
      ...{ grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'none', ...metadata },
    });
    return clientId;
  };

  const address = (clientId: string, parameters: Record<string, string | undefined> = {}): string => {
    const all = {
      ...{ client_id: clientId, redirect_uri: REDIRECT, response_type: 'code', state: 'the-state', scope: 'mcp:tools' },
      ...{ code_challenge: sha256(VERIFIER), code_challenge_method: 'S256', resource: world.mcp, ...parameters },
    };
    const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return `/oauth/authorize?${new URLSearchParams(given)}`;
  };

  const ask = (
    clientId: string,
    parameters: Record<string, string | undefined> = {},
    person = 'ann',
    decision = 'allow',
  ) => authorize(createBrowser(world.base, person), world.base, address(clientId, parameters), decision);

  const token = async (fields: Record<string, string>, base = world.base): Promise<Answer> => {
    const response = await fetch(`${base}/oauth/token`, { method: 'POST', body: new URLSearchParams(fields) });
    return { ...((await response.json()) as object), status: response.status };
  };

  const redeem = (clientId: string, code: string, more: Record<string, string> = {}, base = world.base) =>
    token(
      {
        ...{ grant_type: 'authorization_code', client_id: clientId, code, redirect_uri: REDIRECT },
        ...{ code_verifier: VERIFIER, ...more },
      },
      base,
    );

  const codeOf = async (clientId: string, parameters: Record<string, string> = {}, person = 'ann'): Promise<string> => {
    const { location, page } = await ask(clientId, parameters, person);
    const code = location?.searchParams.get('code');
    if (!code) throw new Error(`No code: ${location?.href ?? page}`);
    return code;
  };

  const isGood = async (accessToken: unknown) => (await world.tokens.byBearer(String(accessToken))) !== undefined;

  return { register, address, ask, token, redeem, codeOf, isGood };
};
