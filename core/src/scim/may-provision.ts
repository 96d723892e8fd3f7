import type { Caller } from '#call';

const OWNER = 1;
const USER = 3;

/** Someone whose token or role may add operations to what everybody may do. */
type Provisioner = Caller & { operations?: readonly string[] | null };

/** May this caller provision at all? The owner and administrators may, and whoever was given the operation `scim`. */
export const mayProvision = ({ kind, role, operations }: Provisioner): boolean =>
  kind !== 'anonymous' && (operations ? operations.includes('scim') : role < USER);

/** Whom a caller may change: whoever has less to say than they; never the owner, and never themselves. */
export const mayChange = (caller: Caller, person: { id: string; role: number }): boolean =>
  person.role !== OWNER && person.id !== caller.userId && (person.role === USER || person.role > caller.role);
