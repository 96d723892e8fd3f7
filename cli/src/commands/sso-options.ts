import { readFile } from 'node:fs/promises';
import type { Client, MappedRole } from '@peta/api';
import { Failure, Misuse } from '../failure.ts';

type Update = Parameters<Client['identityProviders']['update']>[0];
type Mapping = NonNullable<Parameters<Client['identityProviders']['create']>[0]['mapping']>;

/** What can be said of any provider on the command line. */
export type ProviderOptions = {
  name?: string;
  secretEnv?: string;
  group?: string[];
  defaultRole?: string;
  domain?: string[];
  linkByEmail?: boolean;
  createUsers?: boolean;
  set?: string[];
};

const ROLES: Readonly<Record<string, MappedRole>> = { administrator: 2, user: 3 };

const roleOf = (word: string): MappedRole => {
  if (word === 'owner') throw new Misuse('Nobody becomes the owner by a group: there is one.');
  return ROLES[word] ?? word;
};

/** `engineering=administrator` gives a role, `engineering=user:backend,oncall` teams too, `engineering=:backend` only teams. */
const groupOf = (word: string): NonNullable<Mapping['groups']>[number] => {
  const parts = /^(?<group>.+)=(?<role>[^=:]*)(:(?<teams>[^=:]+))?$/.exec(word)?.groups;
  if (!parts?.group) throw new Misuse(`${word}: write group=role, group=role:team,team or group=:team,team.`);
  return {
    group: parts.group,
    ...(parts.role && { role: roleOf(parts.role) }),
    ...(parts.teams && { teams: parts.teams.split(',').filter(Boolean) }),
  };
};

/** Who is let in, as far as the options say so. */
export const mappingOf = (options: ProviderOptions): Mapping => ({
  ...(options.group && { groups: options.group.map(groupOf) }),
  ...(options.defaultRole && { defaultRole: options.defaultRole === 'none' ? null : roleOf(options.defaultRole) }),
  ...(options.domain && { allowedDomains: options.domain.map((domain) => domain.toLowerCase()) }),
  ...(options.linkByEmail !== undefined && { linkByEmail: options.linkByEmail }),
  ...(options.createUsers !== undefined && { createUsers: options.createUsers }),
});

const readValue = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** Settings as `key=value`, where the value is JSON or else a text. */
export const settingsOf = ({ set = [] }: ProviderOptions): NonNullable<Update['settings']> =>
  Object.fromEntries(
    set.map((pair) => {
      const [key = '', ...rest] = pair.split('=');
      if (key === '' || rest.length === 0) throw new Misuse(`${pair}: write setting=value.`);
      return [key, readValue(rest.join('='))];
    }),
  );

/** The secret in a variable of this command's environment, so that it is in no process list. */
export const secretOf = ({ secretEnv }: ProviderOptions): { secret?: string } => {
  if (secretEnv === undefined) return {};
  const secret = process.env[secretEnv];
  if (!secret) throw new Misuse(`The variable ${secretEnv} is empty: put the client secret there.`);
  return { secret };
};

/** A file that holds metadata or a certificate. */
export const readText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch(() => {
    throw new Failure(`${file} cannot be read.`);
  });
