/** Tools that change what the server has, while it runs. */
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './say.ts';
import type { Fixture } from './server.ts';

/** Adds what has grown elsewhere; a connected client is told. */
export const addGrown = (server: McpServer, { kind, name }: { kind: 'tool' | 'prompt'; name: string }) => {
  const description = 'Grown while the server ran';
  if (kind === 'tool') server.registerTool(name, { description }, () => text(name));
  else
    server.registerPrompt(name, { description }, () => ({
      messages: [{ role: 'user', content: { type: 'text', text: name } }],
    }));
};

export const addChangeTools = ({ server, world }: Fixture) => {
  const growing = { grow: 'tool', test_trigger_tool_change: 'tool', test_trigger_prompt_change: 'prompt' } as const;
  for (const [name, kind] of Object.entries(growing))
    server.registerTool(name, { description: `Adds a ${kind}` }, () => text(world.grow(kind)));

  server.registerTool(
    'touch',
    { description: 'Says that a resource was updated', inputSchema: z.object({ uri: z.string() }) },
    ({ uri }) => {
      world.tell({ kind: 'updated', uri });
      return text(uri);
    },
  );
};
