import { createHash, randomInt } from 'node:crypto';
import type { JsonObject } from '#call';
import { isObject } from './read.ts';
import { USER } from './schema.ts';

/** A person, as stored. */
export type Person = {
  id: string;
  name: string;
  email: string | null;
  externalId: string | null;
  role: number;
  /** The role by name, which adds operations. */
  roleId: string | null;
  /** 0 disabled, 1 enabled, 2 pending, 3 suspended. */
  status: number;
  /** What the directory says besides; null of somebody whom no directory provisions. */
  directory: JsonObject | null;
  createdAt: Date;
  updatedAt: Date;
};

/** What a directory decides about a person. */
export type PersonColumns = Pick<Person, 'name' | 'email' | 'externalId' | 'status'> & { directory: JsonObject };

/** A team, as a person's page tells of it. */
export type GroupOf = { id: string; name: string };

const DISABLED = 0;
const ENABLED = 1;
const SUSPENDED = 3;
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,255}$/;
const MAX_NAME = 200;
const ID_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** An id that reads like the name and is never given to anybody again (RFC 7643 section 3.1). */
export const newId = (name: string): string => {
  const [before = ''] = name.normalize('NFKD').split('@');
  const word = before
    .replace(/[^A-Za-z0-9._-]/g, '')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 40);
  const random = Array.from({ length: 8 }, () => ID_CHARACTERS[randomInt(ID_CHARACTERS.length)]).join('');
  return `${word || 'x'}-${random}`.toLowerCase();
};

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The name to show of somebody whose directory gives none. */
const nameOf = ({ name, userName }: JsonObject): string => {
  const { formatted, givenName, familyName } = isObject(name) ? name : {};
  const parts = [givenName, familyName].filter((part) => textOf(part) !== undefined).join(' ');
  return textOf(formatted) ?? (parts || (textOf(userName) ?? ''));
};

/** The address to sign in with, in lower case: the primary one, else one for work, else any, else the user name. */
const emailOf = ({ emails, userName }: JsonObject): string | null => {
  const all = Array.isArray(emails) ? emails.filter((one): one is JsonObject => isObject(one)) : [];
  const best = all.find(({ primary }) => primary === true) ?? all.find(({ type }) => type === 'work') ?? all[0];
  const address = [textOf(best?.value), textOf(userName)].find((text) => text !== undefined && EMAIL.test(text));
  return address?.toLowerCase() ?? null;
};

/** What a directory may read and write of a person. */
export const attributesOf = ({ id, name, email, externalId, status, directory }: Person): JsonObject => ({
  id,
  ...(externalId !== null && { externalId }),
  ...(directory ?? {
    userName: email ?? id,
    ...(email !== null && { emails: [{ value: email, type: 'work', primary: true }] }),
  }),
  displayName: name,
  active: status === ENABLED,
});

/** Who is suspended here stays so: that was an administrator's decision, which no directory takes back. */
const statusOf = (active: unknown, before: number | undefined): number => {
  if (active === undefined) return before ?? ENABLED;
  if (active === false) return before === SUSPENDED ? SUSPENDED : DISABLED;
  return before === SUSPENDED ? SUSPENDED : ENABLED;
};

/** What is stored of what a directory wrote. */
export const columnsOf = (written: JsonObject, before?: Person): PersonColumns => {
  const { externalId, displayName, active, ...directory } = written;
  const wasMade = before && displayName === before.name && before.name === nameOf(attributesOf(before));
  const shown = (wasMade ? undefined : textOf(displayName)) ?? nameOf(directory);
  return {
    name: shown.slice(0, MAX_NAME),
    email: emailOf(directory),
    externalId: textOf(externalId) ?? null,
    status: statusOf(active, before?.status),
    directory,
  };
};

export const versionOf = (...facts: unknown[]): string =>
  `W/"${createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 20)}"`;

/** The person as a resource of SCIM. */
export const toUser = (person: Person, groups: readonly GroupOf[], base: string): JsonObject => {
  const { id, createdAt, updatedAt } = person;
  const user: JsonObject = {
    schemas: [USER],
    ...attributesOf(person),
    ...(groups.length > 0 && {
      groups: groups.map((group) => ({
        value: group.id,
        $ref: `${base}/Groups/${group.id}`,
        display: group.name,
        type: 'direct',
      })),
    }),
  };
  return {
    ...user,
    meta: {
      resourceType: 'User',
      created: createdAt.toISOString(),
      lastModified: updatedAt.toISOString(),
      location: `${base}/Users/${id}`,
      version: versionOf(person, groups),
    },
  };
};
