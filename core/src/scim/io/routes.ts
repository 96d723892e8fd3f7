import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, JsonObject, Refused } from '#call';
import { bearerIn } from '#lib/bearer';
import { readJson } from '#lib/json';
import { JsonFault } from '#lib/json-fault';
import { Unavailable } from '#lib/unavailable';
import { resourceTypes, schemaDocuments, serviceProviderConfig } from '../documents.ts';
import { forbidden, invalidSyntax, notFound, notSupported, quoted, ScimError } from '../errors.ts';
import type { Groups } from '../groups.ts';
import { project, readQuery, readShown, type Shown, toList } from '../list.ts';
import { mayProvision } from '../may-provision.ts';
import { type Asker, isNamed, type Ports } from '../ports.ts';
import { checkSchemas } from '../read.ts';
import { type Schema, schemas } from '../schema.ts';
import type { Users } from '../users.ts';

type Parts = Ports & {
  users: Users;
  groups: Groups;
  /** Who sent a request, or why they are not let in; refusals are written down. */
  authenticate(bearer: string | undefined, endpoint: string, address: string): Promise<Caller | Refused>;
  onFault(error: unknown): void;
};

/** Where SCIM is served. */
export const SCIM = '/scim/v2';
const MEDIA_TYPE = 'application/scim+json';
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';
const SEARCH = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const EVERY_METHOD = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

const send = (reply: FastifyReply, status: number, body: JsonObject) =>
  reply.code(status).type(MEDIA_TYPE).send(JSON.stringify(body));

/** Refusals in the shape of RFC 7644 section 3.12; a fault tells nothing of its inside. */
const sendError = (reply: FastifyReply, { status, scimType, message }: ScimError) => {
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="peta"');
  return send(reply, status, {
    schemas: [ERROR],
    status: String(status),
    ...(scimType && { scimType }),
    detail: message,
  });
};

const toScimError = (error: unknown, onFault: (error: unknown) => void): ScimError => {
  if (error instanceof ScimError) return error;
  if (error instanceof JsonFault) return invalidSyntax('The body is not valid JSON.');
  if (error instanceof Unavailable) return new ScimError(503, undefined, error.message);
  const status = error instanceof Error ? (error as Partial<FastifyError>).statusCode : undefined;
  if (status === 413) return new ScimError(413, undefined, 'The body is larger than this Peta takes.');
  if (status === 415) return new ScimError(415, undefined, `Send the body as ${MEDIA_TYPE}.`);
  if (status !== undefined && status < 500) return invalidSyntax('The request cannot be read.');
  onFault(error);
  return new ScimError(500, undefined, 'Peta failed to do this. Its log says why.');
};

const queryOf = ({ query }: FastifyRequest): Record<string, unknown> => ({ ...(query as object) });

const headerOf = ({ headers }: FastifyRequest, name: 'if-match' | 'if-none-match'): string | undefined => headers[name];

const idOf = ({ params }: FastifyRequest, schema: Schema): string => {
  const { id } = params as { id: string };
  if (!ID.test(id)) throw notFound(`There is no ${schema.name.toLowerCase()} with the id ${quoted(id)}.`);
  return id;
};

/** Everything under /scim/v2. Nobody's body is read who may not provision. */
export const registerScim = async (app: FastifyInstance, parts: Parts): Promise<void> => {
  const { users, groups, authenticate, changed, base, onFault } = parts;
  const askers = new WeakMap<FastifyRequest, Asker>();

  const letIn = async (request: FastifyRequest): Promise<void> => {
    const caller = await authenticate(bearerIn(request.headers.authorization), SCIM, request.ip);
    if ('code' in caller) {
      const status = caller.code === 'wrong-endpoint' ? 403 : caller.code === 'rate-limited' ? 429 : 401;
      throw new ScimError(status, undefined, caller.reason);
    }
    if (!mayProvision(caller))
      throw forbidden(
        'This token may not provision: take one of the owner or an administrator that is for everything, or for "scim".',
      );
    askers.set(request, { caller, address: request.ip });
  };

  const askerOf = (request: FastifyRequest): Asker => {
    const who = askers.get(request);
    if (!who) throw new ScimError(401, undefined, 'A token is needed.');
    return who;
  };

  const sendOne = (request: FastifyRequest, reply: FastifyReply, resource: JsonObject, shown: Shown) => {
    const { version } = resource.meta as { version: string };
    const condition = headerOf(request, 'if-none-match');
    reply.header('etag', version);
    if (condition !== undefined && isNamed(condition, version)) return reply.code(304).send();
    return send(reply, 200, project(resource, shown));
  };

  const sendWritten = (reply: FastifyReply, status: number, resource: JsonObject, shown: Shown) => {
    const { version, location } = resource.meta as { version: string; location: string };
    reply.header('etag', version);
    if (status === 201) reply.header('location', location);
    return send(reply, status, project(resource, shown));
  };

  /** Refused and failed changes are written down as the others are. */
  const recorded = async <T>(request: FastifyRequest, operation: string, run: (who: Asker) => Promise<T>) => {
    const who = askerOf(request);
    try {
      return await run(who);
    } catch (error) {
      const { id } = request.params as { id?: string };
      const attempt = { ...who, operation, target: id ?? null, details: {} };
      if (error instanceof ScimError) await changed({ ...attempt, outcome: 'refused', error: error.message });
      else if (!(error instanceof Unavailable))
        await changed({ ...attempt, outcome: 'failed', error: 'Peta itself failed; its log says why.' }).catch(
          () => {},
        );
      throw error;
    }
  };

  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      [MEDIA_TYPE, 'application/json'],
      { parseAs: 'string' },
      async (_request: FastifyRequest, text: string | Buffer) => (text === '' ? undefined : readJson(String(text))),
    );
    scope.setErrorHandler((error, _request, reply) => sendError(reply, toScimError(error, onFault)));
    scope.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store');
      await letIn(request);
    });

    type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;
    const route = (method: string | string[], path: string, handler: Handler) =>
      scope.route({
        method,
        url: `${SCIM}${path}`,
        config: { guard: 'token' },
        bodyLimit: MAX_BODY_BYTES,
        handler: async (request, reply) => handler(request, reply),
      });

    const resource = (schema: Schema, all: Users | Groups, operations: string) => {
      const { endpoint } = schema;
      const list = async (request: FastifyRequest, reply: FastifyReply, asked: Record<string, unknown>) =>
        send(reply, 200, await all.list(askerOf(request), readQuery(schema, asked), readShown(schema, asked)));

      route('GET', endpoint, (request, reply) => list(request, reply, queryOf(request)));
      route('POST', `${endpoint}/.search`, (request, reply) =>
        list(request, reply, checkSchemas(request.body, SEARCH)),
      );
      route('GET', `${endpoint}/:id`, async (request, reply) => {
        const shown = readShown(schema, queryOf(request));
        return sendOne(request, reply, await all.get(askerOf(request), idOf(request, schema), shown), shown);
      });

      type Write = (who: Asker, request: FastifyRequest) => Promise<JsonObject>;
      const writing = (method: string, path: string, operation: string, write: Write) =>
        route(method, path, async (request, reply) => {
          const shown = readShown(schema, queryOf(request));
          const written = await recorded(request, `${operations}.${operation}`, (who) => write(who, request));
          return sendWritten(reply, method === 'POST' ? 201 : 200, written, shown);
        });
      writing('POST', endpoint, 'create', (who, { body }) => all.create(who, body));
      writing('PUT', `${endpoint}/:id`, 'replace', (who, request) =>
        all.replace(who, idOf(request, schema), request.body, headerOf(request, 'if-match')),
      );
      writing('PATCH', `${endpoint}/:id`, 'patch', (who, request) =>
        all.patch(who, idOf(request, schema), request.body, headerOf(request, 'if-match')),
      );
      route('DELETE', `${endpoint}/:id`, async (request, reply) => {
        await recorded(request, `${operations}.remove`, (who) =>
          all.remove(who, idOf(request, schema), headerOf(request, 'if-match')),
        );
        return reply.code(204).send();
      });
    };
    resource(schemas.user, users, 'scim.users');
    resource(schemas.group, groups, 'scim.groups');

    const documents = (path: string, list: () => JsonObject[]) => {
      route('GET', path, (request, reply) => {
        const { filter } = queryOf(request);
        if (filter !== undefined) throw forbidden('These few cannot be filtered: ask for all of them.');
        return send(reply, 200, toList(list(), list().length, 0));
      });
      route('GET', `${path}/:id`, (request, reply) => {
        const { id } = request.params as { id: string };
        const found = list().find((one) => String(one.id).toLowerCase() === id.toLowerCase());
        if (!found) throw notFound(`There is no ${quoted(id)} here.`);
        return send(reply, 200, found);
      });
    };
    documents('/Schemas', () => schemaDocuments(base()));
    documents('/ResourceTypes', () => resourceTypes(base()));
    route('GET', '/ServiceProviderConfig', (_request, reply) => send(reply, 200, serviceProviderConfig(base())));

    const unsupported = (method: string | string[], path: string, message: string) =>
      route(method, path, () => {
        throw notSupported(message);
      });
    unsupported(EVERY_METHOD, '/Me', 'A token stands for no user here: ask for the user by id.');
    unsupported('POST', '/Bulk', 'Bulk is not supported: send each change as a request of its own.');
    unsupported('POST', '/.search', 'Search at /Users/.search or /Groups/.search.');
    route(EVERY_METHOD, '/*', () => {
      throw notFound('There is nothing at this address, or not for this method.');
    });
  });
};
