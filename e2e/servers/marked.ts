/** A server of both eras over stdio that says a mark, its first argument, in everything that it has. */
import { completable, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const mark = process.argv[2] ?? 'unmarked';
const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

serveStdio(() => {
  const server = new McpServer({ name: mark, version: '1.0.0' });
  server.registerTool('tell', { description: `Tells ${mark}`, inputSchema: z.object({}) }, async () => text(mark));
  server.registerTool(`tell_${mark}`, { inputSchema: z.object({}) }, async () => text(mark));
  server.registerTool('fail', { inputSchema: z.object({}) }, async () => {
    throw new Error(`${mark} has failed`);
  });
  let grown = 0;
  server.registerTool('grow', { inputSchema: z.object({}) }, async () => {
    grown += 1;
    server.registerTool(`grown_${mark}_${grown}`, {}, async () => text(mark));
    return text('grew');
  });
  server.registerResource('same', 'marked://same', {}, async (uri) => ({ contents: [{ uri: uri.href, text: mark }] }));
  server.registerResource('own', `marked://${mark}`, {}, async (uri) => ({
    contents: [{ uri: uri.href, text: mark }],
  }));
  server.registerResource(
    'items',
    new ResourceTemplate(`marked://${mark}/{id}`, { list: undefined }),
    {},
    async (uri) => ({ contents: [{ uri: uri.href, text: mark }] }),
  );
  const argsSchema = z.object({ name: completable(z.string(), () => [mark]) });
  for (const name of ['greet', `greet_${mark}`])
    server.registerPrompt(name, { argsSchema }, async () => ({
      messages: [{ role: 'user' as const, content: { type: 'text' as const, text: mark } }],
    }));
  return server;
});
