import type { User } from '@peta/api';
import { hashToken } from '#lib/token';
import { badSetupLink, forbidden, invalid } from './errors.ts';
import { type Data, userInput } from './published.ts';
import type { SetupStore, SetupStores } from './setup.ts';

/** What the published CREATE_USER needs besides our own operation. */
export type PublishedUserPorts = Pick<SetupStores, 'adoptToken'> &
  Pick<SetupStore, 'useSetupLink'> & {
    openEnvelope(text: string, token: string): Promise<string>;
  };

const OWNER = 1;

/** The person's id and the envelope of their token, as CREATE_USER brings them. */
const readPublishedUser = ({ userId, encryptedToken }: Data): { userId: string; envelope: string } => {
  if (typeof encryptedToken !== 'string' || encryptedToken === '') throw invalid('encryptedToken: is missing.');
  if (typeof userId !== 'string' || !/^[0-9a-f]{32}$/.test(userId))
    throw invalid('userId: the first 32 hex characters of the SHA-256 of the token.');
  return { userId, envelope: encryptedToken };
};

/**
 * The person's token comes in an envelope made with the caller's token. Where that opens, the whole hash is kept; where
 * it does not, the id itself is the first half of the hash, which is enough to know the token by.
 */
const hashOf = async (ports: PublishedUserPorts, data: Data, bearer: string): Promise<string> => {
  const { userId, envelope } = readPublishedUser(data);
  const token = await ports.openEnvelope(envelope, bearer).catch(() => undefined);
  const hash = token === undefined ? userId : hashToken(token);
  if (hash.startsWith(userId)) return hash;
  throw invalid('userId: is not made from the token in encryptedToken.');
};

/** Everybody but the owner: prepares our own `users.create`, and adopts the token once the person is there. */
export const createPublishedUser = (ports: PublishedUserPorts, data: Data, bearer: string) => {
  let hash: string | undefined;
  return {
    async prepare(): Promise<Data> {
      const { userId } = readPublishedUser(data);
      const { encryptedToken: _, ...input } = userInput(data);
      if (input.role === OWNER) throw forbidden('There is one owner, and it is there already.');
      hash = await hashOf(ports, data, bearer);
      return { name: userId, ...input };
    },
    async adopt(workspaceId: string, user: User): Promise<void> {
      if (hash !== undefined) await ports.adoptToken(workspaceId, user.userId, hash, readPublishedUser(data).envelope);
    },
  };
};

/** The first person is the owner, made by whoever holds the set-up link: its secret is the bearer token. */
export const createFirstOwner = async (
  ports: PublishedUserPorts,
  data: Data,
  bearer: string,
  concerns: (workspaceId: string) => void,
): Promise<User> => {
  const { userId, envelope } = readPublishedUser(data);
  const { name = userId, role } = userInput(data);
  if (role !== OWNER) throw invalid('role: the first user must be the owner, 1.');
  const owner = await ports.useSetupLink(hashToken(bearer), new Date(), async (workspaceId, { users, adoptToken }) => {
    concerns(workspaceId);
    if (await users.owner(workspaceId)) throw forbidden('There is one owner, and it is there already.');
    const created = await users.create(workspaceId, { userId, name: String(name), role: OWNER });
    if (!created) throw invalid('userId: is taken.');
    await adoptToken(workspaceId, userId, await hashOf(ports, data, bearer), envelope);
    return created;
  });
  if (owner) return owner;
  if (bearer.startsWith('petasetup_')) throw badSetupLink();
  throw forbidden(
    'The first owner is made with the secret of the set-up link as bearer token: run "npm run peta -- setup-link".',
  );
};
