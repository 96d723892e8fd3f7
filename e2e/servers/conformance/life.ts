/** Tools that show what becomes of a call or a question that somebody gives up. */
import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { progress, text } from './say.ts';
import type { Fixture } from './server.ts';

const Marked = z.object({ marker: z.string() });
const requestedSchema = { type: 'object' as const, properties: { answer: { type: 'string' as const } } };

export const addLifeTools = ({ server, world, era }: Fixture) => {
  if (era === 'legacy')
    server.server.setNotificationHandler('notifications/roots/list_changed', async () => {
      const asked = server.server.listRoots().then(({ roots }) => roots);
      world.record({ event: 'roots', roots: await asked.catch((error: Error) => error.message) });
    });

  server.registerTool(
    'wait',
    { description: 'Waits until it is cancelled', inputSchema: Marked },
    async ({ marker }, ctx) => {
      const { signal } = ctx.mcpReq;
      world.record({ event: 'waiting', marker });
      await progress(ctx, { progress: 1, total: 2, message: marker });
      await new Promise<void>((done) => {
        if (signal.aborted) done();
        signal.addEventListener('abort', () => done());
      });
      world.record({ event: 'cancelled', marker });
      return text('cancelled');
    },
  );

  server.registerTool(
    'withdraw',
    { description: 'Asks, and takes the question back', inputSchema: z.object({ marker: z.string(), ms: z.int() }) },
    async ({ marker, ms }, { mcpReq }) => {
      if (era === 'modern') throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'An answer cannot be taken back');
      const asked = mcpReq.elicitInput({ message: marker, requestedSchema }, { signal: AbortSignal.timeout(ms) });
      return text(await asked.then(({ action }) => `answered: ${action}`).catch(() => 'withdrawn'));
    },
  );

  server.registerTool(
    'sometimes',
    {
      description: 'Asks only when it is told to',
      inputSchema: z.object({ marker: z.string(), ask: z.boolean(), ms: z.int().default(0) }),
    },
    async ({ marker, ask, ms }, { mcpReq }) => {
      await new Promise((done) => setTimeout(done, ms));
      if (!ask || era === 'modern') return text(marker);
      const { content } = await mcpReq.elicitInput({ message: marker, requestedSchema });
      return text(`${marker}: ${String(content?.answer)}`);
    },
  );
};
