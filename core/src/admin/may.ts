import type { User, UserChanges } from '@peta/api';
import type { Caller } from '#call';
import { forbidden } from './errors.ts';

export const OWNER = 1;
export const USER = 3;
/** The role that is built in: reads everything, changes nothing. */
export const AUDITOR = 'auditor';

/** May the caller do this for everybody: as an administrator, or because a role names the operation? */
export const mayForAll = ({ role, operations }: Caller, name: string): boolean =>
  role < USER || (operations?.includes(name) ?? false);

/**
 * Administrators look after users, the owner after everyone. Whoever is let in by a role's operation alone looks after
 * plain people: nobody with a role or an agent, and never themselves.
 */
export const checkMayChange = (caller: Caller, user: User): void => {
  if (caller.role === OWNER) return;
  if (caller.role === USER) {
    if (user.role === USER && user.roleId === null && user.kind === 'person' && user.userId !== caller.userId) return;
    throw forbidden('By your role you may change plain people: not yourself, no agents, and nobody who has a role.');
  }
  if (user.role > caller.role || user.userId === caller.userId) return;
  throw forbidden('Only the owner may change administrators and the owner.');
};

/** Nobody but the owner reaches further by changing themselves. */
export const checkMayChangeSelf = (caller: Caller, user: User, changes: UserChanges): void => {
  if (caller.role === OWNER || user.userId !== caller.userId) return;
  const { permissions, ratelimit, expiresAt } = changes;
  if (permissions !== undefined || ratelimit !== undefined || expiresAt !== undefined)
    throw forbidden('Nobody but the owner changes their own permissions, limit or end.');
};

/** A role lets nobody hand on roles, nor what others sign in with. */
export const checkMayGive = (caller: Caller, { roleId, email }: UserChanges): void => {
  if (caller.role === USER && (roleId !== undefined || email !== undefined))
    throw forbidden('Only an administrator gives roles and changes e-mail addresses.');
};

export const checkKeepsOwner = (user: User, changes: UserChanges): void => {
  if (user.role !== OWNER) return;
  if ((changes.status !== undefined && changes.status !== 1) || changes.expiresAt)
    throw forbidden('The owner cannot be disabled or given an end: nobody could undo it.');
};

/** A token that is confined changes nothing that reaches further than itself. */
export const isConfined = ({ scope: { servers, tools, environments } }: Caller): boolean =>
  servers !== null || tools !== null || environments !== null;
