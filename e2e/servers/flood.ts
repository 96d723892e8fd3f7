/** A server that logs so much in the course of a call that a client may not keep up. */
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

serveStdio(() => {
  const server = new McpServer({ name: 'flood', version: '1.0.0' }, { capabilities: { logging: {} } });
  const inputSchema = z.object({ lines: z.int(), bytes: z.int() });
  server.registerTool('flood', { inputSchema }, async ({ lines, bytes }, { mcpReq }) => {
    const line = 'x'.repeat(bytes);
    for (let sent = 0; sent < lines; sent += 1)
      await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data: line } });
    return { content: [{ type: 'text', text: 'flooded' }] };
  });
  return server;
});
