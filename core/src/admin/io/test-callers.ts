import { AUDITOR_OPERATIONS } from '@peta/api';
import { and, eq } from 'drizzle-orm';
import { type Caller, EVERYWHERE, type Refused, type Scope } from '#call';
import { type Database, schema } from '#db';
import { hashToken } from '#lib/token';
import type { SignInPorts } from '../sign-ins.ts';

const { users: userTable, tokens: tokenTable, roles: roleTable } = schema;

const INVALID: Refused = { kind: 'refused', code: 'unauthenticated', reason: 'The token is not valid.' };

/** Whoever the cookie names, signed in with a browser. */
const NOBODY: Caller = {
  workspaceId: 'default',
  kind: 'user',
  userId: '',
  role: 3,
  operations: null,
  isAuditor: false,
  owner: null,
  tokenId: 'signin_of-the-cookie',
  scope: EVERYWHERE,
  endsAt: null,
  permissions: {},
  preferences: {},
};

/** The person whom a cookie names as it is. */
export const bySomeCookie = (cookie: string | undefined): Caller | undefined =>
  cookie === undefined ? undefined : { ...NOBODY, userId: cookie };

/** Who holds a service token, as the database has it. */
export const createAuthenticate = (db: Database, refused: (endpoint: string) => void) => {
  return async (bearer: string | undefined, endpoint: string): Promise<Caller | Refused> => {
    const [row] = await db
      .select()
      .from(tokenTable)
      .innerJoin(userTable, and(eq(userTable.workspaceId, tokenTable.workspaceId), eq(userTable.id, tokenTable.userId)))
      .leftJoin(roleTable, and(eq(roleTable.workspaceId, userTable.workspaceId), eq(roleTable.id, userTable.roleId)))
      .where(eq(tokenTable.hash, hashToken(bearer ?? '')));
    if (!row || bearer === undefined) {
      refused(endpoint);
      return INVALID;
    }
    return {
      workspaceId: row.user.workspaceId,
      kind: 'user',
      userId: row.user.id,
      role: row.user.role === 1 || row.user.role === 2 ? row.user.role : 3,
      isAuditor: row.user.roleId === 'auditor',
      operations: row.user.roleId === 'auditor' ? AUDITOR_OPERATIONS : (row.role?.operations ?? null),
      owner: null,
      tokenId: row.token.id,
      scope: { ...EVERYWHERE, ...(row.token.scope as Partial<Scope>) },
      endsAt: null,
      permissions: row.user.permissions,
      preferences: row.user.preferences,
    };
  };
};

type Seen = { signIns: Awaited<ReturnType<SignInPorts['list']>> };

/** Sign-ins as a list that a test fills. */
export const createTestSignIns = (seen: Seen): SignInPorts => ({
  list: async (_workspaceId, userId) => seen.signIns.filter((one) => userId === undefined || one.userId === userId),
  find: async (id) => seen.signIns.find(({ signInId }) => signInId === id),
  async end(which) {
    const isMeant = ({ signInId, userId }: { signInId: string; userId: string }) =>
      'signInId' in which ? signInId === which.signInId : userId === which.userId;
    const before = seen.signIns.length;
    seen.signIns = seen.signIns.filter((one) => !isMeant(one));
    return before - seen.signIns.length;
  },
  invite: async (workspaceId, userId) =>
    userId.startsWith('agent')
      ? undefined
      : { link: `${workspaceId}/${userId}/petawelcome_secret-of-the-invitation`, expiresAt: new Date(0) },
});
