import { becomeOwner, startPeta } from './peta.ts';

/** A resource, a list of them or an error, as far as it says so; what it leaves out is undefined. */
export type ScimBody = {
  id: string;
  userName: string;
  name: { givenName?: string };
  displayName: string;
  meta: { version: string; location: string };
  members: { value: string }[];
  emails: { value: string }[];
  groups: { value: string }[];
  attributes: { name: string }[];
  Resources: ScimBody[];
  [more: string]: unknown;
};
/** What a list begins with. Throws when it is empty. */
export const firstOf = ({ Resources: [first] }: ScimBody): ScimBody => {
  if (!first) throw new Error('The list is empty.');
  return first;
};

/** What a directory sends and receives, over HTTP as it is. */
export type ScimAnswer = { status: number; headers: Headers; json: ScimBody };

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const patchOf = (...Operations: object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});

/** A Peta with an owner, and a directory that provisions it. */
export const startWithDirectory = async () => {
  const peta = await startPeta();
  const { api } = await becomeOwner(peta);
  await api.users.create({ userId: 'directory', name: 'Our directory', role: 2 });
  const { secret } = await api.tokens.issue({ userId: 'directory', name: 'Entra', scope: { operations: ['scim'] } });
  return { peta, api, ask: createDirectory(peta.url, secret) };
};

/** A directory with its token. */
export const createDirectory =
  (url: string, token: string) =>
  async (method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<ScimAnswer> => {
    const response = await fetch(`${url}/scim/v2${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/scim+json',
        ...(body && { 'content-type': 'application/scim+json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
  };

export type Directory = ReturnType<typeof createDirectory>;
