import { AUDITOR_OPERATIONS, type TokenScope } from '@peta/api';
import { type Caller, type CapabilityKind, EVERYWHERE, type Permissions, type Scope } from '#call';

/** A person or agent as stored, with what decides whether and how far they get. */
export type Person = {
  workspaceId: string;
  userId: string;
  kind: 'person' | 'agent';
  role: number;
  roleId: string | null;
  /** What the workspace's role of that id adds; null when there is none. */
  roleOperations: readonly string[] | null;
  status: number;
  userExpiresAt: Date | null;
  permissions: Permissions;
  preferences: Record<string, Permissions>;
  ownerUserId: string | null;
  /** The person of that id; null when they are gone. */
  owner: { role: number; status: number; expiresAt: Date | null; permissions: Permissions } | null;
  /** The team whose agent it is; null when it is gone. */
  teamId: string | null;
};

/** What a credential is confined to; an access token also to some kinds of capabilities. */
export type CredentialScope = TokenScope & { kinds?: CapabilityKind[] | undefined };
type Credential = { tokenId: string; expiresAt: Date | null; scope: CredentialScope };

const ENABLED = 1;
const AUDITOR = 'auditor';

const isPast = (time: Date | null, now: number): boolean => time !== null && time.getTime() <= now;

/** An agent is in as long as whose it is: the person is enabled, or the team is there. */
const isOwned = ({ ownerUserId, owner, teamId }: Person, now: number): boolean =>
  ownerUserId === null ? teamId !== null : owner?.status === ENABLED && !isPast(owner.expiresAt, now);

export const isEnabled = (person: Person, now: number): boolean =>
  person.status === ENABLED && !isPast(person.userExpiresAt, now) && (person.kind === 'person' || isOwned(person, now));

const roleOf = (role: number): Caller['role'] => (role === 1 || role === 2 ? role : 3);

const both = <T>(one: readonly T[] | null, other: T[] | undefined): T[] | undefined =>
  one ? one.filter((item) => !other || other.includes(item)) : other;

/** What lies within both. */
export const narrowed = (scope: CredentialScope, bounds: Scope): CredentialScope => ({
  servers: both(bounds.servers, scope.servers),
  endpoints: both(bounds.endpoints, scope.endpoints),
  tools: both(bounds.tools, scope.tools),
  operations: both(bounds.operations, scope.operations),
  environments: both(bounds.environments, scope.environments),
  kinds: both(bounds.kinds, scope.kinds),
});

const scopeOf = ({ servers, endpoints, tools, operations, environments, kinds }: CredentialScope): Scope => ({
  servers: servers ?? null,
  endpoints: endpoints ?? null,
  tools: tools ?? null,
  operations: operations ?? null,
  environments: environments ?? null,
  kinds: kinds ?? null,
});

const earliest = (...times: (Date | null | undefined)[]): number | null => {
  const known = times.flatMap((time) => (time ? [time.getTime()] : []));
  return known.length === 0 ? null : Math.min(...known);
};

/** Roles by name are for people whose number gives them nothing; agents have none. */
const roleByNameOf = ({ kind, role, roleId, roleOperations }: Person): Pick<Caller, 'operations' | 'isAuditor'> => {
  if (kind === 'agent' || roleOf(role) !== 3 || roleId === null) return { operations: null, isAuditor: false };
  if (roleId === AUDITOR) return { operations: AUDITOR_OPERATIONS, isAuditor: true };
  return { operations: roleOperations, isAuditor: false };
};

export const toCaller = (row: Person & Credential): Caller => {
  const { workspaceId, userId, ownerUserId, owner, tokenId, permissions, preferences } = row;
  return {
    workspaceId,
    kind: 'user',
    userId,
    // An agent administers nothing, whatever its row says.
    role: row.kind === 'agent' ? 3 : roleOf(row.role),
    ...roleByNameOf(row),
    owner:
      row.kind === 'agent' && ownerUserId !== null && owner
        ? { userId: ownerUserId, role: roleOf(owner.role), permissions: owner.permissions }
        : null,
    tokenId,
    scope: scopeOf(row.scope),
    endsAt: earliest(row.expiresAt, row.userExpiresAt, row.kind === 'agent' ? owner?.expiresAt : null),
    permissions,
    preferences,
  };
};

/** A caller with a name, or none, and nothing else: whoever acts without a token, as the log is to name them. */
export const namedCaller = (workspaceId: string, userId: string | null): Caller => ({
  workspaceId,
  kind: 'user',
  userId,
  role: 3,
  operations: null,
  isAuditor: false,
  owner: null,
  tokenId: null,
  scope: EVERYWHERE,
  endsAt: null,
  permissions: {},
  preferences: {},
});
