import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  completable,
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  originValidationResponse,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

type Note = { topic: string; text: string };

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
const show = ({ topic, text: content }: Note): string => `[${topic}] ${content}`;

const build = (notes: Note[]) => () => {
  const server = new McpServer({ name: 'notes', title: 'Notes', version: '1.0.0' });
  const topics = () => [...new Set(notes.map(({ topic }) => topic))];
  server.registerTool(
    'add_note',
    {
      title: 'Add a note',
      description: 'Keeps a note under a topic until the demo ends',
      inputSchema: z.object({ topic: z.string().min(1).max(100), text: z.string().min(1).max(10_000) }),
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    },
    async (note) => {
      notes.push(note);
      return text(`Noted. There are ${notes.length} notes.`);
    },
  );
  server.registerTool(
    'list_notes',
    {
      title: 'List notes',
      description: 'All notes, or those of one topic',
      inputSchema: z.object({ topic: z.string().optional() }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ topic }) => {
      const found = notes.filter((note) => topic === undefined || note.topic === topic);
      return text(found.length > 0 ? found.map(show).join('\n') : 'There are no notes yet.');
    },
  );
  server.registerResource('all', 'notes://all', { title: 'All notes', mimeType: 'text/plain' }, async (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: notes.map(show).join('\n') }],
  }));
  server.registerPrompt(
    'summarise',
    {
      title: 'Summarise notes',
      description: 'Asks for a summary of one topic',
      argsSchema: z.object({
        topic: completable(z.string(), (value) => topics().filter((topic) => topic.startsWith(value))),
      }),
    },
    async ({ topic }) => {
      const found = notes.filter((note) => note.topic === topic).map(show);
      return {
        messages: [
          { role: 'user' as const, content: { type: 'text' as const, text: `Summarise:\n${found.join('\n')}` } },
        ],
      };
    },
  );
  return server;
};

/** A small MCP server of both protocol eras on a free loopback port, for the demo. Notes live as long as it does. */
export const startNotesServer = async (): Promise<{ url: string; close(): Promise<void> }> => {
  const notes: Note[] = [{ topic: 'peta', text: 'Every call to this server went through the gateway.' }];
  const handler = createMcpHandler(build(notes));
  const serve = toNodeHandler({
    fetch: async (request: Request) =>
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins()) ??
      handler.fetch(request),
  });
  const server = createServer(
    (request, response) =>
      void serve(Object.assign(request, { method: request.method ?? 'GET', url: request.url ?? '/' }), response),
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async close() {
      await handler.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
};
