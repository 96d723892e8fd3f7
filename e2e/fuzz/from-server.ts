import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { callTool, post, VERSION_META } from '../harness/raw.ts';
import { fromServer, responsesFromServer } from './messages.ts';
import { mutate } from './mutate.ts';
import { type Random, randomFor } from './random.ts';
import { PATIENCE_MS, SEED, type Send } from './run.ts';
import { problemOf } from './well-formed.ts';

/** How often what all servers offer is asked for in between. */
const LIST_EVERY = 20;

const listTools = (mcpUrl: string, token: string) =>
  post(
    mcpUrl,
    { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: VERSION_META } },
    { token, headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' } },
  );

type Target = {
  mcpUrl: string;
  token: string;
  tool: string;
  args: object;
  /** How many messages the server has sent since this was last asked. */
  count(): number;
  /** Starts the server again once it has failed so often that calls are turned away. */
  revive(): Promise<unknown>;
};

/** Calls a tool of a server that answers as it likes. */
export const callsTo = ({ mcpUrl, token, tool, args, count, revive }: Target): Send => {
  return async (index) => {
    const startedAt = Date.now();
    const { status, headers, text } =
      index % LIST_EVERY === 0
        ? await listTools(mcpUrl, token)
        : await callTool(mcpUrl, token, tool, { ...args, index }, `call ${index}`);
    const tookMs = Date.now() - startedAt;
    const problem =
      tookMs > PATIENCE_MS
        ? `answered after ${tookMs} ms`
        : problemOf({ status, type: headers.get('content-type') ?? '', text, isWhole: true });
    const isAway = text.includes('is not available');
    if (isAway) await revive().catch(() => {});
    return { count: isAway ? 0 : count(), problem };
  };
};

type Rpc = { id?: unknown; method?: string; params?: { name?: string; arguments?: { index?: number } } };

const RESULTS: Readonly<Record<string, object>> = {
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: { tools: { listChanged: true } },
    serverInfo: { name: 'fuzzing', version: '1' },
  },
  ping: {},
};

const STORM = { name: 'storm', inputSchema: { type: 'object' } };
const ODD_TOOL = {
  name: 'odd',
  title: 'Odd',
  description: 'Is spoilt',
  inputSchema: { type: 'object', properties: { a: { type: 'string' } } },
  annotations: { readOnlyHint: true },
  icons: [{ src: 'https://example.com/x.png' }],
};

/** The one tool that can be called, and others that are no tools any more. */
const toolsWith = (random: Random): object => {
  const tools: unknown[] = [STORM];
  for (let turns = 5; turns > 0; turns -= 1)
    try {
      const tool: unknown = JSON.parse(mutate(ODD_TOOL, random).toString());
      JSON.stringify(tool);
      tools.push(tool);
    } catch {
      // What cannot be read, or is too deep to be written, has its turn in the answers to calls.
    }
  return { tools };
};

const read = async (request: IncomingMessage): Promise<Rpc> => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  try {
    return JSON.parse(text) as Rpc;
  } catch {
    return {};
  }
};

const answerWithJson = (response: ServerResponse, id: unknown, random: Random): number => {
  const status = random.chance(0.95) ? 200 : random.pick([202, 204, 400, 401, 404, 418, 429, 500, 503]);
  const type = random.chance(0.9) ? 'application/json' : random.pick(['text/plain', 'text/event-stream', '', 'x']);
  // A single answer that is no response keeps its caller waiting until the call times out, so there are few.
  const body = mutate(random.pick(random.chance(0.95) ? responsesFromServer(id) : fromServer(id)), random);
  if (random.chance(0.01)) {
    response.writeHead(200, { 'content-type': type, 'content-length': body.length + 5 }).write(body);
    response.destroy();
  } else response.writeHead(status, { 'content-type': type }).end(status === 204 ? undefined : body);
  return 1;
};

const answerWithEvents = (response: ServerResponse, id: unknown, random: Random): number => {
  const count = 1 + random.below(40);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let sent = 0; sent < count; sent += 1) {
    const field = random.chance(0.95)
      ? 'data: '
      : random.pick(['data:', 'data', 'event: x\ndata: ', 'id: 1\ndata: ', ': ', '\u0000']);
    response.write(
      Buffer.concat([Buffer.from(field), mutate(random.pick(fromServer(id)), random), Buffer.from('\n\n')]),
    );
  }
  if (random.chance(0.01)) response.destroy();
  else response.end();
  return count;
};

/** An MCP server over Streamable HTTP that greets as it should and answers every call with mutated messages. */
export const startFuzzingServer = async () => {
  let unread = 0;
  let lists = 0;
  const server = createServer(async (request, response) => {
    const { id, method = '', params } = await read(request);
    if (request.method !== 'POST') return response.writeHead(405).end();
    if (method === 'tools/list') lists += 1;
    const result = method === 'tools/list' ? toolsWith(randomFor(SEED, -lists)) : RESULTS[method];
    if (result)
      return response
        .writeHead(200, {
          'content-type': 'application/json',
          ...(method === 'initialize' && { 'mcp-session-id': 's' }),
        })
        .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    if (method !== 'tools/call') return response.writeHead(id === undefined ? 202 : 404).end();
    const random = randomFor(SEED, params?.arguments?.index ?? 0);
    unread += (random.chance(0.4) ? answerWithJson : answerWithEvents)(response, id, random);
    return undefined;
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/mcp`,
    /** How many messages it has sent since it was last asked. */
    count: () => {
      const count = unread;
      unread = 0;
      return count;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};
