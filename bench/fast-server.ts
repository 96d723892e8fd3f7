/** The fastest MCP server there can be: one that answers 2026-07-28 from constants. Prints its address. */
import { createServer } from 'node:http';

const TOOL = { name: 'echo', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } };
const LISTS = { resultType: 'complete', ttlMs: 0, cacheScope: 'public' };
const RESULTS: Record<string, object> = {
  'server/discover': { ...LISTS, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
  'tools/list': { ...LISTS, tools: [TOOL] },
  'tools/call': { resultType: 'complete', content: [{ type: 'text', text: 'hello' }] },
};

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { id?: unknown; method?: string };
    if (id === undefined) return void response.writeHead(202).end();
    const body = JSON.stringify({ jsonrpc: '2.0', id, result: RESULTS[method ?? ''] ?? {} });
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      .end(body);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/mcp\n`);
});
