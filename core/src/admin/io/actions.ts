import { api, type User } from '@peta/api';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { type Caller, FIRST_WORKSPACE, type Refused } from '#call';
import { type ActionPorts, actions } from '../action-codes.ts';
import { type AdminError, invalid } from '../errors.ts';
import { type Data, presentUser } from '../published.ts';
import { createFirstOwner, createPublishedUser, type PublishedUserPorts } from '../published-user.ts';
import type { Named, Run } from '../run.ts';
import { type Authenticate, bearerOf, challenge, toAdminError, unreadable } from './rest.ts';

type Options = {
  operations: readonly Named[];
  run: Run;
  authenticate: Authenticate;
  users: PublishedUserPorts;
  /** Envelopes of people's tokens as they were given, by user id. */
  encryptedTokens(workspaceId: string): Promise<Record<string, string | null>>;
  keepEnvelope(workspaceId: string, userId: string, envelope: string): Promise<void>;
  /** The owner's published face, for anybody; null when there is no owner yet. */
  publicOwner(workspaceId: string): Promise<Record<string, unknown> | null>;
  onFault(error: unknown): void;
};

type Request = { action: number; data: Data; bearer: string | undefined; address: string };

const Body = z.object({
  action: z.int(),
  data: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((data) => data ?? {}),
});
const CREATE_USER = 1010;
const GET_OWNER = 1016;

const isCaller = (who: Caller | Refused | null): who is Caller => who !== null && !('code' in who);

/** What a published action asks for, done. */
const createPerform = (options: Options) => {
  const { operations, run, authenticate, users } = options;
  const byName = new Map(operations.map((named) => [named.name, named]));

  /** Nobody has a token yet, so this is set-up by another door: recorded as such. */
  const makeFirstOwner = async ({ data, bearer = '', address }: Request) => {
    const operation = { ...api.setup.complete, input: z.object({}), output: z.unknown() };
    const handler: Named['handler'] = (_input, { concerns }) => createFirstOwner(users, data, bearer, concerns);
    return (await run({ name: 'setup.complete', operation, handler }, { userId: data.userId }, null, address)) as User;
  };

  /** Is this how the first owner is made? Those of other workspaces, who have tokens, do not mean that. */
  const isSetup = async ({ bearer, address }: Request): Promise<boolean> => {
    if ((await options.publicOwner(FIRST_WORKSPACE)) !== null) return false;
    return (
      bearer === undefined ||
      bearer.startsWith('petasetup_') ||
      !isCaller(await authenticate(bearer, '/admin', address))
    );
  };

  return async (request: Request): Promise<unknown> => {
    const { action, data, bearer, address } = request;
    if (action === GET_OWNER) {
      const who = bearer === undefined ? null : await authenticate(bearer, '/admin', address);
      return { owner: await options.publicOwner(isCaller(who) ? who.workspaceId : FIRST_WORKSPACE) };
    }
    const alias = actions[action];
    const named = alias && byName.get(alias.operation);
    if (!alias || !named) throw invalid(`There is no action ${action}.`);
    if (action === CREATE_USER && (await isSetup(request)))
      return { user: presentUser(await makeFirstOwner(request), String(data.encryptedToken)) };

    const isNobody = bearer === undefined && named.operation.guard === 'open';
    const who = isNobody ? null : await authenticate(bearer, '/admin', address);
    const workspaceId = isCaller(who) ? who.workspaceId : FIRST_WORKSPACE;
    const ports: ActionPorts = {
      open: (envelope) => users.openEnvelope(envelope, bearer ?? ''),
      encryptedTokens: () => options.encryptedTokens(workspaceId),
      keepEnvelope: (userId, envelope) => options.keepEnvelope(workspaceId, userId, envelope),
    };
    if (action === CREATE_USER) {
      const { prepare, adopt } = createPublishedUser(users, data, bearer ?? '');
      const handler: Named['handler'] = async (input, asker) => {
        const result = (await named.handler(input, asker)) as { user: User };
        await adopt(workspaceId, result.user);
        return result;
      };
      const { user } = (await run({ ...named, handler }, data, who, address, prepare)) as { user: User };
      return { user: presentUser(user, String(data.encryptedToken)) };
    }
    const result = (await run(named, data, who, address, (given) => alias.input?.(given, ports) ?? given)) as Data;
    return alias.output ? alias.output(result, data, ports) : result;
  };
};

const sendError = (reply: FastifyReply, error: AdminError) => {
  challenge(reply, error);
  const { status, actionCode: code, message } = error;
  return reply.code(status).send({ success: false, error: { code, message } });
};

/** `POST /admin`: published action numbers as aliases of our operations. */
export const registerActions = (app: FastifyInstance, options: Options): void => {
  const { onFault } = options;
  const perform = createPerform(options);
  app.route({
    method: 'POST',
    url: '/admin',
    config: { guard: 'by action' },
    errorHandler: (error, _request, reply) => sendError(reply, unreadable(error, onFault)),
    handler: async (request, reply) => {
      reply.header('cache-control', 'no-store');
      try {
        const body = Body.safeParse(request.body);
        if (!body.success) throw invalid('The body must be {"action": number, "data": object}.');
        const data = await perform({ ...body.data, bearer: bearerOf(request), address: request.ip });
        return { success: true, ...(data !== undefined && { data }) };
      } catch (error) {
        return sendError(reply, toAdminError(error, onFault));
      }
    },
  });
};
