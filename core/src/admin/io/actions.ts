import type { User } from '@peta/api';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type ActionPorts, actions } from '../action-codes.ts';
import { AdminError, invalid } from '../errors.ts';
import { presentUser } from '../published.ts';
import { createPublishedUser, type PublishedUserPorts } from '../published-user.ts';
import type { Named, Run } from '../run.ts';
import { type Authenticate, bearerOf, toAdminError } from './rest.ts';

type Options = {
  operations: readonly Named[];
  run: Run;
  authenticate: Authenticate;
  users: PublishedUserPorts;
  /** Envelopes of people's tokens as they were given, by user id. */
  encryptedTokens(workspaceId: string): Promise<Record<string, string | null>>;
  /** The owner's published face, for anybody. */
  publicOwner(): Promise<Record<string, unknown> | null>;
  onFault(error: unknown): void;
};

const Body = z.object({ action: z.int(), data: z.record(z.string(), z.unknown()).default({}) });
const CREATE_USER = 1010;
const GET_OWNER = 1016;

/** `POST /admin`: published action numbers as aliases of our operations. */
export const registerActions = (app: FastifyInstance, options: Options): void => {
  const { operations, run, authenticate, users, onFault } = options;
  const byName = new Map(operations.map((named) => [named.name, named]));

  const perform = async (
    action: number,
    data: Record<string, unknown>,
    bearer: string | undefined,
    address: string,
  ): Promise<unknown> => {
    if (action === GET_OWNER) return { owner: await options.publicOwner() };
    const alias = actions[action];
    const named = alias && byName.get(alias.operation);
    if (!alias || !named) throw invalid(`There is no action ${action}.`);
    const who = bearer === undefined ? null : await authenticate(bearer, '/admin', address);
    const workspaceId = who && !('code' in who) ? who.workspaceId : 'default';
    const perCaller = async (input: Record<string, unknown>) =>
      (await run(named, input, who, address)) as Record<string, unknown>;
    if (action === CREATE_USER) {
      const create = async (input: Record<string, unknown>) => ({
        user: (await perCaller(input)).user as User,
        workspaceId,
      });
      const user = await createPublishedUser(users, { data, bearer, address }, create);
      return { user: presentUser(user, String(data.encryptedToken)) };
    }
    const ports: ActionPorts = {
      open: (envelope) => users.openEnvelope(envelope, bearer ?? ''),
      encryptedTokens: () => options.encryptedTokens(workspaceId),
    };
    const result = await perCaller((await alias.input?.(data, ports)) ?? data);
    return alias.output ? alias.output(result, data, ports) : result;
  };

  app.post('/admin', { config: { guard: 'by action' } }, async (request, reply) => {
    try {
      const body = Body.safeParse(request.body);
      if (!body.success) throw invalid('The body must be {"action": number, "data": object}.');
      const data = await perform(body.data.action, body.data.data, bearerOf(request), request.ip);
      return { success: true, ...(data !== undefined && { data }) };
    } catch (error) {
      const { status, actionCode, message } = toAdminError(error, onFault);
      if (error instanceof AdminError && status === 401) reply.header('www-authenticate', 'Bearer realm="peta"');
      return reply.code(status).send({ success: false, error: { code: actionCode, message } });
    }
  });
};
