import type { Handlers, Token, TokenScope } from '@peta/api';
import type { Caller } from '#call';
import { newToken } from '#lib/token';
import { forbidden, invalid, noToken, noUser } from './errors.ts';
import type { Asker } from './run.ts';
import { callerOf, type Publish, type UserStore } from './users.ts';

type NewToken = {
  userId: string;
  name: string;
  hash: string;
  mask: string;
  scope: TokenScope;
  expiresAt: string | null;
};

export type TokenStore = {
  list(workspaceId: string, userId: string | undefined): Promise<Token[]>;
  find(workspaceId: string, tokenId: string): Promise<Token | undefined>;
  create(workspaceId: string, token: NewToken): Promise<Token>;
  /** Ends a token at a time; one that ends earlier keeps its end. */
  endAt(workspaceId: string, tokenId: string, at: Date): Promise<void>;
  revoke(workspaceId: string, tokenId: string): Promise<void>;
};

const OWNER = 1;
const USER = 3;

export const createTokens = (store: TokenStore, users: UserStore, publish: Publish): Handlers<Asker>['tokens'] => {
  /** Own tokens are everybody's business, others' the administrators', the owner's the owner's alone. */
  const checkMayManage = async (caller: Caller, userId: string): Promise<void> => {
    if (caller.role === OWNER || userId === caller.userId) return;
    if (caller.role === USER) throw noToken();
    const user = await users.find(caller.workspaceId, userId);
    if (user && user.role <= caller.role)
      throw forbidden('Only the owner may manage the tokens of administrators and of the owner.');
  };

  const find = async (who: Asker, tokenId: string): Promise<Token> => {
    const caller = callerOf(who);
    const token = await store.find(caller.workspaceId, tokenId);
    if (!token) throw noToken();
    await checkMayManage(caller, token.userId);
    return token;
  };

  /** A token handles no other that reaches further than itself. */
  const checkScope = ({ scope: { servers, endpoints } }: Caller, other: TokenScope): void => {
    const within = (mine: readonly string[] | null, theirs: string[] | undefined) =>
      mine === null || (theirs?.every((one) => mine.includes(one)) ?? false);
    if (!within(servers, other.servers) || !within(endpoints, other.endpoints))
      throw forbidden('That token would reach further than the one that asks: narrow its scope, or ask with another.');
  };

  /** A token that ends cannot prolong itself by a successor of the same person. */
  const checkEnd = async (caller: Caller, userId: string, expiresAt: string | null): Promise<void> => {
    if (userId !== caller.userId || caller.tokenId === null) return;
    const end = (await store.find(caller.workspaceId, caller.tokenId))?.expiresAt ?? null;
    if (end !== null && (expiresAt === null || Date.parse(expiresAt) > Date.parse(end)))
      throw forbidden(`The token that asks ends at ${end}, and no token it makes for the same person may end later.`);
  };

  const issue = async (workspaceId: string, token: Omit<NewToken, 'hash' | 'mask'>) => {
    const { secret, hash, mask } = newToken();
    return { token: await store.create(workspaceId, { ...token, hash, mask }), secret };
  };

  return {
    async list({ userId }, who) {
      const caller = callerOf(who);
      const isAdministrator = caller.role < USER;
      if (!isAdministrator && userId !== undefined && userId !== caller.userId)
        throw forbidden('Only an administrator may see the tokens of others.');
      const found = await store.list(caller.workspaceId, isAdministrator ? userId : (caller.userId ?? ''));
      if (caller.role === OWNER || !isAdministrator) return { tokens: found };
      const owner = await users.owner(caller.workspaceId);
      return { tokens: found.filter((token) => token.userId !== owner?.userId) };
    },

    async issue({ userId, ...token }, who) {
      const caller = callerOf(who);
      const owner = userId ?? caller.userId;
      if (owner === null) throw invalid("userId: say whose token it is; the machine's key is nobody's.");
      if (owner !== caller.userId) {
        if (caller.role === USER) throw forbidden('Only an administrator may issue tokens for others.');
        await checkMayManage(caller, owner);
      }
      checkScope(caller, token.scope);
      if (token.expiresAt !== null && Date.parse(token.expiresAt) <= Date.now())
        throw invalid('expiresAt: is in the past.');
      if (!(await users.find(caller.workspaceId, owner))) throw noUser(owner);
      await checkEnd(caller, owner, token.expiresAt);
      return issue(caller.workspaceId, { ...token, userId: owner });
    },

    async rotate({ tokenId, overlapSeconds }, who) {
      const caller = callerOf(who);
      const { workspaceId } = caller;
      const old = await find(who, tokenId);
      const { userId, name, scope, expiresAt, revokedAt } = old;
      if (revokedAt !== null || (expiresAt !== null && Date.parse(expiresAt) <= Date.now()))
        throw invalid('A token that was revoked or has expired has no successor: issue a new one.');
      checkScope(caller, scope);
      await checkEnd(caller, userId, expiresAt);
      who.before(old);
      const issued = await issue(workspaceId, { userId, name, scope, expiresAt });
      await store.endAt(workspaceId, tokenId, new Date(Date.now() + overlapSeconds * 1000));
      await publish({ topic: 'token', workspaceId, id: tokenId });
      return issued;
    },

    async revoke({ tokenId }, who) {
      const caller = callerOf(who);
      const { workspaceId } = caller;
      const old = await find(who, tokenId);
      checkScope(caller, old.scope);
      who.before(old);
      await store.revoke(workspaceId, tokenId);
      await publish({ topic: 'token', workspaceId, id: tokenId });
      return { message: `The token ${old.mask} was revoked.` };
    },
  };
};
