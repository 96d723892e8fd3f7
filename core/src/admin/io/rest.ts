import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, Refused } from '#call';
import { Unavailable } from '#lib/unavailable';
import { AdminError, invalid } from '../errors.ts';
import { createOpenApi } from '../openapi.ts';
import type { Named, Run } from '../run.ts';

export type Authenticate = (bearer: string | undefined, endpoint: string, address: string) => Promise<Caller | Refused>;

type Options = {
  operations: readonly Named[];
  run: Run;
  authenticate: Authenticate;
  version: string;
  onFault(error: unknown): void;
};

export const bearerOf = ({ headers }: FastifyRequest): string | undefined =>
  /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What kept an operation from being done, as HTTP tells it. A fault tells nothing of its inside. */
export const toAdminError = (error: unknown, onFault: (error: unknown) => void): AdminError => {
  if (error instanceof AdminError) return error;
  if (error instanceof Unavailable) return new AdminError(503, 'UNAVAILABLE', 5201, error.message);
  onFault(error);
  return new AdminError(500, 'INTERNAL_ERROR', 5201, 'Peta failed to do this. Its log says why.');
};

const sendError = (reply: FastifyReply, { status, code, message }: AdminError) => {
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="peta"');
  return reply.code(status).send({ error: STATUS_CODES[status] ?? 'Error', message, code });
};

/** Every operation under /api/v1, and their description at /api/openapi.json. */
export const registerRest = (
  app: FastifyInstance,
  { operations, run, authenticate, version, onFault }: Options,
): void => {
  for (const named of operations) {
    const { method, path, guard } = named.operation;
    app.route({
      method,
      url: `/api/v1${path}`,
      config: { guard },
      handler: async (request, reply) => {
        try {
          const bearer = bearerOf(request);
          const who = bearer === undefined ? null : await authenticate(bearer, '/api/v1', request.ip);
          const hasBody = method !== 'GET' && method !== 'DELETE';
          const body = hasBody ? (request.body ?? {}) : request.query;
          if (!isObject(body)) throw invalid('The body must be a JSON object.');
          const params = isObject(request.params) ? request.params : {};
          reply.header('cache-control', 'no-store');
          return await run(named, { ...body, ...params }, who, request.ip);
        } catch (error) {
          return sendError(reply, toAdminError(error, onFault));
        }
      },
    });
  }
  const document = createOpenApi(operations, version);
  app.get('/api/openapi.json', { config: { guard: 'open' } }, async () => document);
};
