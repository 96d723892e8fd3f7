/** Both eras on one Streamable HTTP endpoint: sessions for the legacy one, a fresh server for each modern request. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  isLegacyRequest,
  type ServerNotifier,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { createEventStore } from './events.ts';
import { createFixture } from './server.ts';
import { listeningHttp } from './tasks/listening-http.ts';
import type { Change, World } from './world.ts';

const RETRY_MS = 500;

/** Serves on PORT and prints the address as the first line. */
export const serveHttp = (world: World, eras: 'both' | 'legacy' | 'modern') => {
  const serve = toNodeHandler({ fetch: createRoute(world, eras) });
  const isHost = localhostHostValidation();
  const isOrigin = localhostOriginValidation();
  const server = createServer((request, response) => {
    if (!isHost(request, response) || !isOrigin(request, response)) return;
    void serve(Object.assign(request, { method: request.method ?? 'GET', url: request.url ?? '/' }), response);
  });
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/mcp\n`);
  });
};

const createRoute = (world: World, eras: 'both' | 'legacy' | 'modern') => {
  const modern = createMcpHandler(() => createFixture(world, 'modern'), { legacy: 'reject' });
  const fetchModern = listeningHttp(world.tasks, (request) => modern.fetch(request));
  const legacy = createSessions(world);
  world.listen((change) => publish(modern.notify, change));
  return async (request: Request) => {
    const isLegacy = eras === 'both' ? await isLegacyRequest(request) : eras === 'legacy';
    return isLegacy ? legacy(request) : fetchModern(request);
  };
};

const publish = (notify: ServerNotifier, change: Change) => {
  if (change.kind === 'tool') notify.toolsChanged();
  else if (change.kind === 'prompt') notify.promptsChanged();
  else notify.resourceUpdated(change.uri);
};

/** Each `initialize` makes a session; an ended or unknown one is answered with 404. */
const createSessions = (world: World) => {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  const open = async () => {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: createEventStore(),
      retryInterval: RETRY_MS,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await createFixture(world, 'legacy').connect(transport);
    return transport;
  };
  return async (request: Request) => {
    const id = request.headers.get('mcp-session-id');
    if (id !== null) return sessions.get(id)?.handleRequest(request) ?? noSession();
    const transport = await open();
    const response = await transport.handleRequest(request);
    if (transport.sessionId === undefined) await transport.close();
    return response;
  };
};

const noSession = () =>
  Response.json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }, { status: 404 });
