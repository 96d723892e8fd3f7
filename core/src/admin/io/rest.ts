import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, Refused } from '#call';
import { bearerIn } from '#lib/bearer';
import { Unavailable } from '#lib/unavailable';
import { AdminError, invalid, notJson, tooLarge } from '../errors.ts';
import { createOpenApi } from '../openapi.ts';
import type { Named, Run } from '../run.ts';

/** Who sent a request, or why they are not let in. Writes refusals down. Rejects when that cannot be known now. */
export type Authenticate = (bearer: string | undefined, endpoint: string, address: string) => Promise<Caller | Refused>;

type Options = {
  operations: readonly Named[];
  run: Run;
  authenticate: Authenticate;
  /** Who is signed in with the browser that sends this, where its cookie may speak for it. */
  signedIn?(request: FastifyRequest): Promise<Caller | undefined>;
  version: string;
  onFault(error: unknown): void;
};

export const bearerOf = ({ headers }: FastifyRequest): string | undefined => bearerIn(headers.authorization);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What kept an operation from being done, as HTTP tells it. A fault tells nothing of its inside. */
export const toAdminError = (error: unknown, onFault: (error: unknown) => void): AdminError => {
  if (error instanceof AdminError) return error;
  if (error instanceof Unavailable) return new AdminError(503, 'UNAVAILABLE', 5201, error.message);
  onFault(error);
  return new AdminError(500, 'INTERNAL_ERROR', 5201, 'Peta failed to do this. Its log says why.');
};

/** What Fastify could not read, in our words: its own may quote the body. */
export const unreadable = (error: FastifyError, onFault: (error: unknown) => void): AdminError => {
  switch (error.statusCode) {
    case 400:
      return invalid('The body is not valid JSON.');
    case 413:
      return tooLarge();
    case 415:
      return notJson();
    default:
      return toAdminError(error, onFault);
  }
};

/** Tells a client that is not let in how to prove who it is. */
export const challenge = (reply: FastifyReply, { status }: AdminError): void => {
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="peta"');
};

const sendError = (reply: FastifyReply, error: AdminError) => {
  challenge(reply, error);
  const { status, code, message } = error;
  return reply.code(status).send({ error: STATUS_CODES[status] ?? 'Error', message, code });
};

/** A field that an operation does not have is a mistake, and perhaps one that would widen what was meant. */
const known =
  ({ operation }: Named) =>
  (input: Record<string, unknown>): Record<string, unknown> => {
    const stranger = Object.keys(input).find((key) => !Object.hasOwn(operation.input.shape, key));
    if (stranger === undefined) return input;
    const fields = Object.keys(operation.input.shape).join(', ') || 'none';
    throw invalid(`${stranger}: there is no such field here. There are: ${fields}.`);
  };

/** Every operation under /api/v1, and their description at /api/openapi.json. */
export const registerRest = (
  app: FastifyInstance,
  { operations, run, authenticate, signedIn, version, onFault }: Options,
): void => {
  /** A token always wins, also one that is not valid: the cookie speaks only for requests that bring no token at all. */
  const callerOf = async (request: FastifyRequest, guard: string): Promise<Caller | Refused | null> => {
    const bearer = bearerOf(request);
    const byCookie = request.headers.authorization === undefined ? await signedIn?.(request) : undefined;
    if (byCookie) return byCookie;
    return bearer === undefined && guard === 'open' ? null : authenticate(bearer, '/api/v1', request.ip);
  };

  for (const named of operations) {
    const { method, path, guard } = named.operation;
    const hasBody = method !== 'GET' && method !== 'DELETE';
    app.route({
      method,
      url: `/api/v1${path}`,
      config: { guard },
      errorHandler: (error, _request, reply) => sendError(reply, unreadable(error, onFault)),
      handler: async (request, reply) => {
        reply.header('cache-control', 'no-store');
        try {
          const who = await callerOf(request, guard);
          const fields = hasBody ? (request.body ?? {}) : request.query;
          if (!isObject(fields)) throw invalid('The body must be a JSON object.');
          const params = isObject(request.params) ? request.params : {};
          return await run(named, { ...fields, ...params }, who, request.ip, known(named));
        } catch (error) {
          return sendError(reply, toAdminError(error, onFault));
        }
      },
    });
  }
  const document = createOpenApi(operations, version);
  app.get('/api/openapi.json', { config: { guard: 'open' } }, async () => document);
};
