import type { User } from '@peta/api';
import { hashToken } from '#lib/token';
import { forbidden, invalid } from './errors.ts';
import { type Data, userInput } from './published.ts';

/** What the published CREATE_USER needs besides our own operation. */
export type PublishedUserPorts = {
  hasOwner(): Promise<boolean>;
  /** Uses up a set-up link; the workspace it was for, or undefined. */
  takeSetupLink(secret: string): Promise<string | undefined>;
  createOwner(workspaceId: string, userId: string, name: string, address: string): Promise<User>;
  openEnvelope(text: string, token: string): Promise<string>;
  /** Makes a token work, by its hash or by the first half of it, and keeps its envelope. */
  adoptToken(workspaceId: string, userId: string, hash: string, envelope: string): Promise<void>;
};

type Request = { data: Data; bearer: string | undefined; address: string };
/** Runs our own `users.create` as whoever sent the request. */
type Create = (input: Data) => Promise<{ user: User; workspaceId: string }>;

const read = (data: Data): { userId: string; envelope: string } => {
  const { userId, encryptedToken } = data;
  if (typeof encryptedToken !== 'string' || encryptedToken === '') throw invalid('encryptedToken: is missing.');
  if (typeof userId !== 'string' || !/^[0-9a-f]{32}$/.test(userId))
    throw invalid('userId: the first 32 hex characters of the SHA-256 of the token.');
  return { userId, envelope: encryptedToken };
};

/**
 * The person's token comes in an envelope made with the caller's token. Where that opens, the whole hash is kept; where
 * it does not, the id itself is the first half of the hash, which is enough to know the token by.
 */
const hashOf = async (ports: PublishedUserPorts, userId: string, envelope: string, bearer: string): Promise<string> => {
  const token = await ports.openEnvelope(envelope, bearer).catch(() => undefined);
  const hash = token === undefined ? userId : hashToken(token);
  if (hash.startsWith(userId)) return hash;
  throw invalid('userId: is not made from the token in encryptedToken.');
};

/** The first user is the owner, made by whoever holds the set-up link; later ones are made by the owner. */
export const createPublishedUser = async (
  ports: PublishedUserPorts,
  { data, bearer = '', address }: Request,
  create: Create,
): Promise<User> => {
  const { userId, envelope } = read(data);
  const hash = await hashOf(ports, userId, envelope, bearer);
  const { encryptedToken: _, ...given } = userInput(data);
  const input: Data = { name: userId, ...given };
  const isFirst = !(await ports.hasOwner());
  if (!isFirst) {
    if (input.role === 1) throw forbidden('There is one owner, and it is there already.');
    const { user, workspaceId } = await create(input);
    await ports.adoptToken(workspaceId, userId, hash, envelope);
    return user;
  }
  if (input.role !== 1) throw invalid('role: the first user must be the owner, 1.');
  const workspaceId = await ports.takeSetupLink(bearer);
  if (workspaceId === undefined)
    throw forbidden(
      'The first owner is made with the secret of the set-up link as bearer token: see "peta setup-link".',
    );
  const owner = await ports.createOwner(workspaceId, userId, String(input.name), address);
  await ports.adoptToken(workspaceId, userId, hash, envelope);
  return owner;
};
