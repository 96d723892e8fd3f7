import type { Handlers, Token, TokenScope } from '@peta/api';
import type { Caller } from '#call';
import { newToken } from '#lib/token';
import { forbidden, invalid, noToken, noUser } from './errors.ts';
import type { Asker } from './run.ts';
import { callerOf, type Publish, type UserStore } from './users.ts';

export type NewToken = {
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

  /** A token cannot make another that reaches further than itself. */
  const checkScope = ({ scope: { servers, endpoints } }: Caller, asked: TokenScope): void => {
    const within = (mine: readonly string[] | null, theirs: string[] | undefined) =>
      mine === null || (theirs?.every((one) => mine.includes(one)) ?? false);
    if (!within(servers, asked.servers) || !within(endpoints, asked.endpoints))
      throw forbidden('The new token would reach further than the one that asks for it: narrow its scope.');
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
      return { tokens: await store.list(caller.workspaceId, isAdministrator ? userId : (caller.userId ?? '')) };
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
      if (token.expiresAt !== null && new Date(token.expiresAt).getTime() <= Date.now())
        throw invalid('expiresAt: is in the past.');
      if (!(await users.find(caller.workspaceId, owner))) throw noUser(owner);
      return issue(caller.workspaceId, { ...token, userId: owner });
    },

    async rotate({ tokenId, overlapSeconds }, who) {
      const { workspaceId } = callerOf(who);
      const old = await find(who, tokenId);
      if (old.revokedAt !== null) throw invalid('A revoked token has no successor: issue a new one.');
      const { userId, name, scope, expiresAt } = old;
      const issued = await issue(workspaceId, { userId, name, scope, expiresAt });
      await store.endAt(workspaceId, tokenId, new Date(Date.now() + overlapSeconds * 1000));
      await publish({ topic: 'token', workspaceId, id: tokenId });
      return issued;
    },

    async revoke({ tokenId }, who) {
      const { workspaceId } = callerOf(who);
      const { mask } = await find(who, tokenId);
      await store.revoke(workspaceId, tokenId);
      await publish({ topic: 'token', workspaceId, id: tokenId });
      return { message: `The token ${mask} was revoked.` };
    },
  };
};
