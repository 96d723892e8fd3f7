import { type Handlers, operations, type Token, type TokenScope, type User } from '@peta/api';
import type { Caller } from '#call';
import { newToken } from '#lib/token';
import { forbidden, invalid, noToken, noUser } from './errors.ts';
import { mayForAll, OWNER, USER } from './may.ts';
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

type Ports = { store: TokenStore; users: UserStore; publish: Publish };

/** Ids of other kinds of credential carry a prefix of their own. */
const SERVICE_TOKEN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SCOPES = ['servers', 'endpoints', 'tools', 'operations', 'environments'] as const;
/** What an operation's name may be in a scope besides: the use of MCP, and the provisioning of people. */
const WORDS = new Set(['mcp', 'scim']);

const checkNames = ({ operations: names = [] }: TokenScope): void => {
  const unknown = names.find((name) => !WORDS.has(name) && !operations.has(name));
  if (unknown !== undefined)
    throw invalid(`scope: there is no operation "${unknown}"; besides their names there are the words mcp and scim.`);
};

/** A token handles no other that reaches further than itself. */
const checkScope = ({ scope }: Caller, other: TokenScope): void => {
  for (const kind of SCOPES) {
    const mine = scope[kind];
    if (mine !== null && !other[kind]?.every((one) => mine.includes(one)))
      throw forbidden('That token would reach further than the one that asks: narrow its scope, or ask with another.');
  }
};

type Facts = { unusedSince?: string | undefined; endsBefore?: string | undefined };

/** Of tokens that work, those that were not used since then or that end before then. */
const isAsked = (token: Token, { unusedSince, endsBefore }: Facts): boolean => {
  if (unusedSince === undefined && endsBefore === undefined) return true;
  const { revokedAt, expiresAt, lastUsedAt, createdAt } = token;
  if (revokedAt !== null || (expiresAt !== null && Date.parse(expiresAt) <= Date.now())) return false;
  const isUnused = unusedSince === undefined || Date.parse(lastUsedAt ?? createdAt) < Date.parse(unusedSince);
  const isEnding = endsBefore === undefined || (expiresAt !== null && Date.parse(expiresAt) < Date.parse(endsBefore));
  return isUnused && isEnding;
};

export const createTokens = ({ store, users, publish }: Ports): Handlers<Asker>['tokens'] => {
  const isOwnAgent = (caller: Caller, user: User | undefined): boolean =>
    user?.kind === 'agent' && user.ownerUserId !== null && user.ownerUserId === caller.userId;

  /** Own tokens and those of own agents are everybody's business, others' the administrators', the owner's the owner's. */
  const checkMayManage = async (caller: Caller, userId: string): Promise<void> => {
    if (caller.role === OWNER || userId === caller.userId) return;
    const user = await users.find(caller.workspaceId, userId);
    if (isOwnAgent(caller, user)) return;
    if (caller.role === USER) throw noToken();
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

  /** A token that ends cannot prolong itself by a successor of the same person or of an agent of theirs. */
  const checkEnd = async (caller: Caller, user: User, expiresAt: string | null): Promise<void> => {
    const isNear = user.userId === caller.userId || isOwnAgent(caller, user);
    if (!isNear || caller.tokenId === null || !SERVICE_TOKEN.test(caller.tokenId)) return;
    const end = (await store.find(caller.workspaceId, caller.tokenId))?.expiresAt ?? null;
    if (end !== null && (expiresAt === null || Date.parse(expiresAt) > Date.parse(end)))
      throw forbidden(
        `The token that asks ends at ${end}, and no token it makes for the same person or their agents may end later.`,
      );
  };

  const issue = async (workspaceId: string, token: Omit<NewToken, 'hash' | 'mask'>) => {
    const { secret, hash, mask } = newToken();
    return { token: await store.create(workspaceId, { ...token, hash, mask }), secret };
  };

  return {
    async list({ userId, ...facts }, who) {
      const caller = callerOf(who);
      const { workspaceId } = caller;
      const mayAll = mayForAll(caller, 'tokens.list');
      if (!mayAll && userId !== undefined && userId !== caller.userId)
        if (!isOwnAgent(caller, await users.find(workspaceId, userId)))
          throw forbidden('Only an administrator may see the tokens of others.');
      const found = await store.list(workspaceId, mayAll ? userId : (userId ?? caller.userId ?? ''));
      const asked = found.filter((token) => isAsked(token, facts));
      if (caller.role === OWNER || !mayAll) return { tokens: asked };
      const owner = await users.owner(workspaceId);
      return { tokens: asked.filter((token) => token.userId !== owner?.userId) };
    },

    async issue({ userId, ...token }, who) {
      const caller = callerOf(who);
      const owner = userId ?? caller.userId;
      if (owner === null) throw invalid("userId: say whose token it is; the machine's key is nobody's.");
      if (owner !== caller.userId)
        await checkMayManage(caller, owner).catch((error: unknown) => {
          throw caller.role === USER ? forbidden('Only an administrator may issue tokens for others.') : error;
        });
      checkNames(token.scope);
      checkScope(caller, token.scope);
      if (token.expiresAt !== null && Date.parse(token.expiresAt) <= Date.now())
        throw invalid('expiresAt: is in the past.');
      const user = await users.find(caller.workspaceId, owner);
      if (!user) throw noUser(owner);
      await checkEnd(caller, user, token.expiresAt);
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
      const user = await users.find(workspaceId, userId);
      if (!user) throw noUser(userId);
      await checkEnd(caller, user, expiresAt);
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
