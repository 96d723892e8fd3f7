import type { JsonObject } from '#call';
import { invalidValue, quoted } from './errors.ts';
import { isObject } from './read.ts';
import { GROUP } from './schema.ts';
import { versionOf } from './user.ts';

/** A team, as stored. */
export type Group = {
  id: string;
  name: string;
  externalId: string | null;
  /** Of its members, the same as long as they are. */
  membersDigest: string;
  createdAt: Date;
  updatedAt: Date;
};

export type GroupColumns = Pick<Group, 'name' | 'externalId'>;
export type Member = { id: string; name: string };

const MAX_NAME = 200;

const toMember = ({ id, name }: Member, base: string): JsonObject => ({
  value: id,
  $ref: `${base}/Users/${id}`,
  display: name,
  type: 'User',
});

/** What a directory may read and write of a team. */
export const attributesOf = ({ id, name, externalId }: Group, members: readonly Member[]): JsonObject => ({
  id,
  ...(externalId !== null && { externalId }),
  displayName: name,
  ...(members.length > 0 && { members: members.map((member) => ({ value: member.id, type: 'User' })) }),
});

/** What is stored of what a directory wrote, and the ids of who is to be in the team. */
export const columnsOf = ({ displayName, externalId, members }: JsonObject) => {
  const name = String(displayName);
  if (name.length > MAX_NAME) throw invalidValue(`displayName may have ${MAX_NAME} characters.`);
  const all = Array.isArray(members) ? members.filter((one): one is JsonObject => isObject(one)) : [];
  const ids = all.map(({ value, type }) => {
    if (typeof type === 'string' && type.toLowerCase() !== 'user')
      throw invalidValue(`Members are users: a ${quoted(type)} cannot be one.`);
    return String(value);
  });
  return {
    columns: { name, externalId: typeof externalId === 'string' ? externalId : null } satisfies GroupColumns,
    memberIds: new Set(ids),
  };
};

/** The team as a resource of SCIM; without members where nobody asked for them. */
export const toGroup = (group: Group, members: readonly Member[], base: string): JsonObject => {
  const { id, name, externalId, membersDigest, createdAt, updatedAt } = group;
  return {
    schemas: [GROUP],
    id,
    ...(externalId !== null && { externalId }),
    displayName: name,
    ...(members.length > 0 && { members: members.map((member) => toMember(member, base)) }),
    meta: {
      resourceType: 'Group',
      created: createdAt.toISOString(),
      lastModified: updatedAt.toISOString(),
      location: `${base}/Groups/${id}`,
      version: versionOf(id, name, externalId, membersDigest, updatedAt),
    },
  };
};
