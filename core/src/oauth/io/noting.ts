import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { accountOf } from '../account.ts';
import type { Note } from '../ports.ts';

const OPERATIONS: Readonly<Record<string, string>> = {
  token: 'oauth.token',
  registration: 'oauth.register',
  revocation: 'oauth.revoke',
  device_authorization: 'oauth.device',
};
const MAX_ERROR = 300;

const errorIn = (body: unknown): string | undefined => {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  const description = 'error_description' in body ? `: ${String(body.error_description)}` : '';
  return `${String(body.error)}${description}`.slice(0, MAX_ERROR);
};

type Options = {
  note: Note;
  /** Somebody without a name was refused; floods are counted. */
  refused(address: string, path: string, reason: string): Promise<void>;
  used(clientId: string): Promise<void>;
};

/** Writes down what the authorization server does, before its answer leaves. */
export const noteEverything = (provider: Provider, { note, refused, used }: Options): void => {
  provider.use(async (ctx, next) => {
    await next();
    const { oidc } = ctx as KoaContextWithOIDC;
    const operation = OPERATIONS[oidc?.route ?? ''];
    if (operation === undefined || ctx.method !== 'POST') return;
    const { client, params, entities } = oidc;
    const error = errorIn(ctx.body);
    if (error !== undefined && client === undefined) return refused(ctx.ip, ctx.path, error);
    const token = entities.AccessToken ?? entities.RefreshToken;
    const grantType = typeof params?.grant_type === 'string' ? params.grant_type : null;
    if (client && error === undefined) await used(client.clientId);
    await note({
      account: accountOf(token?.accountId ?? '') ?? null,
      address: ctx.ip,
      operation,
      target: client?.clientId ?? null,
      details: {
        ...(grantType !== null && { grantType }),
        ...(entities.AccessToken?.scope !== undefined && { scope: entities.AccessToken.scope }),
        ...(operation === 'oauth.register' && { redirectUris: [...(client?.redirectUris ?? [])] }),
      },
      outcome: error === undefined ? 'done' : 'refused',
      ...(error !== undefined && { error }),
    });
  });
};
