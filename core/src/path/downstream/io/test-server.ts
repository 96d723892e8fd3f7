import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { LaunchConfig } from '@peta/api';
import type { Connection } from '../connection.ts';
import { openConnection } from './open.ts';

type Message = { id?: string | number; method?: string; params?: { name?: string; _meta?: object } };
export type Reply = (request: IncomingMessage, response: ServerResponse, message: Message) => unknown;

const cleanUps: (() => unknown)[] = [];
/** Ends every server and connection that a test began. */
export const cleanUp = async (): Promise<void> => {
  for (const undo of cleanUps.splice(0).reverse()) await undo();
};

const read = async (request: IncomingMessage): Promise<Message> => {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? {} : JSON.parse(text);
};
export const json = (response: ServerResponse, status: number, body: object, headers = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
export const event = (response: ServerResponse, body: object) => response.write(`data: ${JSON.stringify(body)}\n\n`);
export const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
export const result = (message: Message, value: object) => ({ jsonrpc: '2.0', id: message.id, result: value });
export const rpcError = (message: Message, code: number) => ({
  jsonrpc: '2.0',
  id: message.id,
  error: { code, message: 'no' },
});

export const serve = async (reply: Reply): Promise<{ url: string; server: Server }> => {
  const server = createServer(async (request, response) => void reply(request, response, await read(request)));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/mcp` };
};

const INITIALIZED = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'scripted', version: '1' },
};
const DISCOVERED = {
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: { listChanged: true } },
  resultType: 'complete',
  ttlMs: 0,
  cacheScope: 'private',
};

/** A server of 2025-11-25 with one session; `reply` answers what comes after the handshake. */
export const serveLegacy = (reply: Reply) =>
  serve((request, response, message) => {
    if (message.method === 'initialize')
      return json(response, 200, result(message, INITIALIZED), { 'mcp-session-id': 's' });
    if (message.method === 'notifications/initialized') return response.writeHead(202).end();
    return reply(request, response, message);
  });
/** A server of 2026-07-28. */
export const serveModern = (reply: Reply) =>
  serve((request, response, message) =>
    message.method === 'server/discover'
      ? json(response, 200, result(message, DISCOVERED))
      : reply(request, response, message),
  );

export const reach = async (config: object): Promise<Connection> => {
  const connection = await openConnection(LaunchConfig.parse(config), {
    spawn: () => Promise.reject(new Error('no process is needed')),
    startTimeoutMs: 2_000,
    product: { name: 'peta', version: '0' },
  });
  cleanUps.push(() => connection.close());
  return connection;
};
export const legacy = (url: string, rest = {}) => reach({ type: 'http', url, mcpProtocol: 'legacy', ...rest });
export const modern = (url: string) => reach({ type: 'http', url, mcpProtocol: 'modern' });
export const callTool = (connection: Connection, name = 'any', signal?: AbortSignal) =>
  connection.request('tools/call', { name }, { timeoutMs: 5_000, signal });
export const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('it did not fail'),
    (error: Error) => error,
  );

/** A server of HTTP+SSE; `onCall` is given the stream. */
export const serveSse = async (
  onCall: (response: ServerResponse, events: ServerResponse, message: Message) => void,
) => {
  let events: ServerResponse | undefined;
  return serve((request, response, message) => {
    if (request.method === 'GET') {
      events = response;
      return stream(response).write('event: endpoint\ndata: /post\n\n');
    }
    if (events && message.method === 'tools/call') return onCall(response, events, message);
    response.writeHead(202).end();
    if (message.method === 'initialize' && events) event(events, result(message, INITIALIZED));
  });
};
