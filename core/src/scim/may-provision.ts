import type { Caller } from '#call';

const OWNER = 1;
const USER = 3;
/** What a token's or a role's operations call all of this. */
const PROVISIONING = 'scim';

/**
 * May this caller provision? The owner and administrators may, and whoever was given the operation; not with a token that
 * is for other operations, or confined to some servers or tools.
 */
export const mayProvision = ({ kind, role, operations, isAuditor, scope }: Caller): boolean => {
  const isTrusted = (role < USER && !isAuditor) || (operations?.includes(PROVISIONING) ?? false);
  const isFor = scope.operations === null || scope.operations.includes(PROVISIONING);
  const isConfined = scope.servers !== null || scope.tools !== null || scope.environments !== null;
  return kind !== 'anonymous' && isTrusted && isFor && !isConfined;
};

type Person = { id: string; role: number; roleId: string | null };

/** Whom a caller may change: whoever has less to say than they; never the owner, and never themselves. */
export const mayChange = ({ role, userId }: Caller, person: Person): boolean => {
  if (person.role === OWNER || person.id === userId) return false;
  return role === USER ? person.role === USER && person.roleId === null : person.role > role;
};
