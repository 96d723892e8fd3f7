import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, Refused } from '#call';

type Parts = {
  /** False only for the address of an endpoint that does not exist or is switched off. */
  isOpen(path: string): boolean;
  authenticate(bearer: string | undefined, endpoint: string, address: string): Promise<Caller | Refused>;
  entry(request: IncomingMessage, response: ServerResponse, endpoint: string): Promise<void>;
};

type Named = { Params: { name?: string } };

const ALL = '/mcp';
const URLS = [ALL, '/mcp/public', '/mcp/e/:name'];
const STATUS: Partial<Record<Refused['code'], number>> = { 'rate-limited': 429, 'wrong-endpoint': 403 };

const noEndpoint = (path: string) => ({
  jsonrpc: '2.0',
  id: null,
  error: {
    code: -32001,
    message: `There is no endpoint at ${path}, or it is switched off. Check the address, or ask an administrator for it; ${ALL} shows all that a token may use.`,
  },
});

/** Says whether a client would be let in, in a status alone. */
const answerHead = (reply: FastifyReply, who: Caller | Refused) => {
  if (!('code' in who)) return reply.code(200).send();
  const status = STATUS[who.code] ?? 401;
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="peta"');
  return reply.code(status).send();
};

/** The addresses at which MCP is spoken, on the raw request: its body is read and parsed once, by the edge. */
export const registerMcp = async (app: FastifyInstance, { isOpen, authenticate, entry }: Parts): Promise<void> => {
  const serve = async (request: FastifyRequest<Named>, reply: FastifyReply, url: string) => {
    const path = url.replace(':name', request.params.name ?? '');
    if (!isOpen(path)) return reply.code(404).send(noEndpoint(path));
    if (request.method === 'HEAD' && url !== ALL) {
      const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
      return answerHead(reply, await authenticate(bearer, path, request.ip));
    }
    reply.hijack();
    await entry(request.raw, reply.raw, path);
  };

  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const url of URLS)
      scope.route<Named>({
        method: ['GET', 'POST', 'DELETE'],
        url,
        config: { guard: url === ALL ? 'token' : 'by endpoint' },
        handler: (request, reply) => serve(request, reply, url),
      });
  });
};
