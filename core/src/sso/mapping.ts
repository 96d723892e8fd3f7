import type { MappedRole, Mapping } from '@peta/api';

/** A role as people have it: a number, and for users perhaps a role of the workspace. */
export type Role = { role: 2 | 3; roleId: string | null };

export type Mapped = {
  role: Role;
  /** False where no group of the mapping names a role: then it is given once, and is an administrator's afterwards. */
  followsRole: boolean;
  /** The teams that the mapping gives, of those that it names at all. */
  teams: readonly string[];
  namedTeams: readonly string[];
};

export const PLAIN: Role = { role: 3, roleId: null };

const toRole = (role: MappedRole): Role => {
  if (role === 2 || role === 3) return { role, roleId: null };
  return { role: 3, roleId: role };
};

export const namedTeamsOf = ({ groups }: Mapping): string[] => [...new Set(groups.flatMap(({ teams }) => teams ?? []))];
export const namesRoles = ({ groups }: Mapping): boolean => groups.some(({ role }) => role !== undefined);

/** What somebody in these groups is here; undefined for nobody. */
export const mapped = (mapping: Mapping, groups: readonly string[]): Mapped | undefined => {
  const held = new Set(groups);
  const matching = mapping.groups.filter(({ group }) => held.has(group));
  if (matching.length === 0 && mapping.defaultRole === null) return undefined;
  const role = matching.find((one) => one.role !== undefined)?.role ?? mapping.defaultRole;
  return {
    role: role === null ? PLAIN : toRole(role),
    followsRole: namesRoles(mapping),
    teams: [...new Set(matching.flatMap(({ teams }) => teams ?? []))],
    namedTeams: namedTeamsOf(mapping),
  };
};

/** An e-mail address, as it is kept: lower case, with one @ so that nobody can mistake its domain. */
export const emailIn = (text: string | undefined): string | undefined => {
  const email = text?.trim().toLowerCase();
  return email !== undefined && email.length <= 320 && /^[^\s\p{C}@]+@[^\s\p{C}@]+$/u.test(email) ? email : undefined;
};

export const isAllowedDomain = ({ allowedDomains }: Mapping, email: string): boolean =>
  allowedDomains.includes(email.slice(email.lastIndexOf('@') + 1).toLowerCase());
