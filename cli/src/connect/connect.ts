import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { findTarget } from '../target.ts';
import { createBridge } from './bridge.ts';
import { createPost, readEvents } from './post.ts';

export const addConnect = (program: Command): void => {
  program
    .command('connect')
    .description('bridge a client that only speaks stdio to a Peta address')
    .argument('[url]', 'its address; default: the Peta that runs on PETA_HOME')
    .action(async (url: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const { mcpUrl, token } = await findTarget({ ...options, url: url ?? options.url });
      const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
      const bridge = createBridge({
        post: createPost(mcpUrl, token),
        async listen(sessionId, onMessage) {
          const headers = { ...authorization, accept: 'text/event-stream', 'mcp-session-id': sessionId };
          const response = await fetch(mcpUrl, { headers });
          if (response.ok) await readEvents(response, onMessage);
          else await response.body?.cancel();
        },
        write: (message) => void process.stdout.write(`${JSON.stringify(message)}\n`),
        note: (sentence) => console.error(`peta connect: ${sentence}`),
      });
      const pending = new Set<Promise<void>>();
      let order = Promise.resolve();
      for await (const line of createInterface({ input: process.stdin })) {
        if (line.trim() === '') continue;
        // The handshake comes first; after it requests run side by side.
        const isHandshake = bridge.sessionId() === undefined || line.includes('"notifications/initialized"');
        if (!isHandshake) await order;
        const taken = bridge.take(line);
        if (isHandshake) order = order.then(() => taken);
        pending.add(taken);
        void taken.finally(() => pending.delete(taken));
      }
      await Promise.all(pending);
      const sessionId = bridge.sessionId();
      if (sessionId)
        await fetch(mcpUrl, { method: 'DELETE', headers: { ...authorization, 'mcp-session-id': sessionId } }).catch(
          () => {},
        );
      process.exit(0);
    });
};
