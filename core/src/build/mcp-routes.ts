import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, Refused } from '#call';
import { bearerIn } from '../lib/bearer.ts';
import { challengeOf } from '../path/edge/challenge.ts';

type Parts = {
  /** Where a client that reached this endpoint under this host finds out how to get a token for it. */
  metadataUrl(endpoint: string, host: string | undefined): string;
  authenticate(bearer: string | undefined, endpoint: string, address: string): Promise<Caller | Refused>;
  entry(request: IncomingMessage, response: ServerResponse, endpoint: string): Promise<void>;
  /** The HTTP+SSE transport of 2024-11-05. */
  sse: {
    open(request: IncomingMessage, response: ServerResponse, endpoint: string, messages: string): void;
    post(request: IncomingMessage, response: ServerResponse, endpoint: string, connection: string): Promise<void>;
  };
};

type Named = { Params: { name?: string }; Querystring: { sessionId?: string } };

const ALL = '/mcp';
const URLS = [ALL, '/mcp/public', '/mcp/e/:name'];
/** Where the older transport is spoken; the one for all has the addresses that its clients expect. */
const sseUrl = (url: string) => (url === ALL ? '/sse' : `${url}/sse`);
const messagesUrl = (url: string) => (url === ALL ? '/messages' : `${url}/messages`);
const STATUS: Partial<Record<Refused['code'], number>> = {
  'rate-limited': 429,
  'wrong-endpoint': 403,
  'unknown-endpoint': 404,
};

const bearerOf = ({ headers }: FastifyRequest<Named>): string | undefined => bearerIn(headers.authorization);

/** Says in a status, and a sentence, that somebody is not let in, and how they may be. */
const turnAway = (reply: FastifyReply, { code, reason }: Refused, bearer: string | undefined, metadata: string) => {
  const status = STATUS[code] ?? 401;
  if (status === 401)
    reply.header('www-authenticate', challengeOf(metadata, bearer === undefined ? undefined : 'invalid_token'));
  return reply.code(status).send({ jsonrpc: '2.0', id: null, error: { code: -32001, message: reason } });
};

/** The addresses at which MCP is spoken, on the raw request: its body is read and parsed once, by the edge. */
export const registerMcp = async (app: FastifyInstance, parts: Parts): Promise<void> => {
  const { authenticate, entry, sse, metadataUrl } = parts;
  const pathOf = (request: FastifyRequest<Named>, url: string) => url.replace(':name', request.params.name ?? '');

  const refuse = (request: FastifyRequest<Named>, reply: FastifyReply, path: string, refused: Refused) =>
    turnAway(reply, refused, bearerOf(request), metadataUrl(path, request.headers.host));

  const serve = async (request: FastifyRequest<Named>, reply: FastifyReply, url: string) => {
    const path = pathOf(request, url);
    if (request.method === 'HEAD' && url !== ALL) {
      const who = await authenticate(bearerOf(request), path, request.ip);
      return 'code' in who ? refuse(request, reply, path, who) : reply.code(200).send();
    }
    reply.hijack();
    await entry(request.raw, reply.raw, path);
  };

  const serveSse = async (request: FastifyRequest<Named>, reply: FastifyReply, url: string) => {
    const path = pathOf(request, url);
    const who = await authenticate(bearerOf(request), path, request.ip);
    if ('code' in who) return refuse(request, reply, path, who);
    reply.hijack();
    if (request.method === 'GET') sse.open(request.raw, reply.raw, path, pathOf(request, messagesUrl(url)));
    else await sse.post(request.raw, reply.raw, path, request.query.sessionId ?? '');
  };

  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const url of URLS) {
      const config = { guard: url === ALL ? 'token' : 'by endpoint' };
      scope.route<Named>({
        method: ['GET', 'POST', 'DELETE'],
        url,
        config,
        handler: (request, reply) => serve(request, reply, url),
      });
      const older = {
        config,
        handler: (request: FastifyRequest<Named>, reply: FastifyReply) => serveSse(request, reply, url),
      };
      scope.route<Named>({ ...older, method: 'GET', url: sseUrl(url), exposeHeadRoute: false });
      scope.route<Named>({ ...older, method: 'POST', url: messagesUrl(url) });
    }
  });
};
