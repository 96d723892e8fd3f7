/**
 * A small, quick MCP server of both eras. `--stdio` speaks over standard streams, else Streamable HTTP on PORT
 * (default: a free one); it prints its address as the first line.
 */
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { completable, createMcpHandler, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

const NAMES = ['Ada', 'Alan', 'Grace'];
const startingWith = (start: string) => NAMES.filter((name) => name.startsWith(start));

const build = () => {
  const server = new McpServer({ name: 'fast', version: '1.0.0' });
  server.registerTool(
    'echo',
    { description: 'Says it back', inputSchema: z.object({ text: z.string() }) },
    async (args) => text(args.text),
  );
  server.registerTool('add', { inputSchema: z.object({ a: z.number(), b: z.number() }) }, async ({ a, b }) =>
    text(String(a + b)),
  );
  server.registerTool(
    'slow',
    { inputSchema: z.object({ ms: z.number(), steps: z.int().default(1) }) },
    async ({ ms, steps }, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (let step = 1; step <= steps && !mcpReq.signal.aborted; step += 1) {
        await new Promise((done) => setTimeout(done, ms / steps));
        if (progressToken !== undefined)
          await mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken, progress: step, total: steps },
          });
      }
      return text('done');
    },
  );
  server.registerTool('die', {}, async () => process.exit(3));
  server.registerTool('big', { inputSchema: z.object({ bytes: z.int() }) }, async ({ bytes }) =>
    text('x'.repeat(bytes)),
  );
  server.registerResource('motto', 'fast://motto', { mimeType: 'text/plain' }, async (uri) => ({
    contents: [{ uri: uri.href, text: 'quick' }],
  }));
  server.registerResource(
    'item',
    new ResourceTemplate('fast://item/{id}', { list: undefined }),
    {},
    async (uri, { id }) => ({
      contents: [{ uri: uri.href, text: `item ${String(id)}` }],
    }),
  );
  const argsSchema = z.object({ name: completable(z.string(), startingWith) });
  server.registerPrompt('greet', { argsSchema }, async ({ name }) => ({
    messages: [{ role: 'user' as const, content: { type: 'text' as const, text: `Hello ${name}` } }],
  }));
  return server;
};

if (process.argv.includes('--stdio')) serveStdio(build);
else {
  const handler = createMcpHandler(build);
  const serve = toNodeHandler(handler);
  const server = createServer(
    (request, response) =>
      void serve(Object.assign(request, { method: request.method ?? 'GET', url: request.url ?? '/' }), response),
  );
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/mcp\n`);
  });
}
