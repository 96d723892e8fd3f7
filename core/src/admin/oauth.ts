import type { Consent, Handlers, OAuthClient } from '@peta/api';
import type { Caller } from '#call';
import { newSecret } from '#lib/token';
import { forbidden, invalid, noClient, noConsent, noUser } from './errors.ts';
import { mayForAll, OWNER, USER } from './may.ts';
import type { Asker } from './run.ts';
import { callerOf, type UserStore } from './users.ts';
import { checkRunsInstallation } from './workspaces.ts';

export type ClientSettings = Pick<OAuthClient, 'name' | 'redirectUris' | 'scopes' | 'endpoints'>;
type NewClient = ClientSettings & {
  clientId: string;
  userId: string | null;
  authMethod: string;
  secret: string | null;
};

export type OAuthStore = {
  clients(workspaceId: string): Promise<OAuthClient[]>;
  findClient(workspaceId: string, clientId: string): Promise<OAuthClient | undefined>;
  createClient(workspaceId: string, client: NewClient): Promise<OAuthClient>;
  updateClient(
    workspaceId: string,
    clientId: string,
    settings: Partial<ClientSettings>,
  ): Promise<OAuthClient | undefined>;
  /** Forgets a client of the workspace's own, and one that registered itself unless another workspace allows it something. */
  removeClient(workspaceId: string, clientId: string): Promise<void>;
  consents(workspaceId: string, userId: string | undefined): Promise<Consent[]>;
};

/** What the authorization server does when told to. */
export type OAuthPort = {
  /** Why an address may not be one that answers are sent to. */
  redirectRefusal(redirectUri: string): string | undefined;
  /** Ends every token of a client in a workspace, and every consent unless told to keep them. */
  endClient(workspaceId: string, clientId: string): Promise<void>;
  endConsent(consentId: string): Promise<void>;
  keys(): { kid: string; createdAt: Date; retiredAt: Date | null }[];
  rotateKeys(): Promise<void>;
};

type Ports = { store: OAuthStore; oauth: OAuthPort; users: Pick<UserStore, 'find'> };

export const createOAuth = ({
  store,
  oauth,
  users,
}: Ports): Pick<Handlers<Asker>, 'clients' | 'consents' | 'signingKeys'> => {
  const keys = () =>
    oauth.keys().map(({ kid, createdAt, retiredAt }) => ({
      ...{ keyId: kid, createdAt: createdAt.toISOString() },
      retiredAt: retiredAt?.toISOString() ?? null,
    }));

  /** Nobody hands out, or takes away, what acts for somebody of their own rank or above, the owner apart. */
  const checkMayActFor = async ({ workspaceId, role }: Caller, userId: string): Promise<void> => {
    const user = await users.find(workspaceId, userId);
    if (!user) throw noUser(userId);
    if (role !== OWNER && user.role <= role)
      throw forbidden('Only the owner may make clients that act for administrators and for the owner.');
  };

  const checkRedirects = (redirectUris: readonly string[] | undefined): void => {
    for (const one of redirectUris ?? []) {
      const refusal = oauth.redirectRefusal(one);
      if (refusal) throw invalid(`redirectUris: ${refusal}`);
    }
  };

  const findOwn = async (who: Asker, clientId: string): Promise<OAuthClient> => {
    const caller = callerOf(who);
    const client = await store.findClient(caller.workspaceId, clientId);
    if (!client) throw noClient(clientId);
    if (client.userId !== null) await checkMayActFor(caller, client.userId);
    who.before(client);
    return client;
  };

  return {
    clients: {
      list: async (_input, who) => ({ clients: await store.clients(callerOf(who).workspaceId) }),

      async create({ userId, authMethod, ...settings }, who) {
        const caller = callerOf(who);
        if (userId === undefined && settings.redirectUris.length === 0)
          throw invalid('userId or redirectUris: say whom it stands for, or where people are sent back to.');
        if (userId !== undefined && authMethod === 'none')
          throw invalid('authMethod: a client with credentials of its own needs a secret.');
        checkRedirects(settings.redirectUris);
        if (userId !== undefined) await checkMayActFor(caller, userId);
        const clientId = newSecret('client_').secret.slice(0, 30);
        const secret = authMethod === 'none' ? null : newSecret('petaclient_').secret;
        const client = await store.createClient(caller.workspaceId, {
          ...{ ...settings, clientId, authMethod, secret, userId: userId ?? null },
        });
        return { client, secret };
      },

      async update({ clientId, ...changes }, who) {
        const { workspaceId } = callerOf(who);
        const { isSelfRegistered } = await findOwn(who, clientId);
        if (isSelfRegistered) throw invalid('clientId: a client that registered itself says itself what it is.');
        checkRedirects(changes.redirectUris);
        const settings = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
        const client = await store.updateClient(workspaceId, clientId, settings);
        if (!client) throw noClient(clientId);
        if ('scopes' in settings || 'endpoints' in settings) await oauth.endClient(workspaceId, clientId);
        return { client };
      },

      async remove({ clientId }, who) {
        const { workspaceId } = callerOf(who);
        const { name } = await findOwn(who, clientId);
        await store.removeClient(workspaceId, clientId);
        await oauth.endClient(workspaceId, clientId);
        return { message: `The client ${name} was removed.` };
      },
    },

    consents: {
      async list({ userId }, who) {
        const caller = callerOf(who);
        const { workspaceId, userId: own } = caller;
        const isOwnOnly = !mayForAll(caller, 'consents.list');
        if (isOwnOnly && userId !== undefined && userId !== own)
          throw forbidden('Only an administrator may see what others allowed.');
        return { consents: await store.consents(workspaceId, isOwnOnly ? (own ?? '') : userId) };
      },

      async revoke({ consentId }, who) {
        const { workspaceId, role, userId } = callerOf(who);
        const all = await store.consents(workspaceId, role === USER ? (userId ?? '') : undefined);
        const consent = all.find((one) => one.consentId === consentId);
        if (!consent) throw noConsent();
        who.before(consent);
        await oauth.endConsent(consentId);
        return {
          message: `${consent.clientName ?? consent.clientId} may not use Peta for ${consent.userId} any more.`,
        };
      },
    },

    signingKeys: {
      async list(_input, who) {
        checkRunsInstallation(callerOf(who));
        return { keys: keys() };
      },
      async rotate(_input, who) {
        checkRunsInstallation(callerOf(who));
        await oauth.rotateKeys();
        return { keys: keys() };
      },
    },
  };
};
