import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { findTarget } from '../target.ts';
import { createBridge } from './bridge.ts';
import { createEndpoint } from './endpoint.ts';

const PATIENCE_MS = 15_000;
const LAST_ANSWERS_MS = 10_000;

export const addConnect = (program: Command): void => {
  program
    .command('connect')
    .description('bridge a client that only speaks stdio to a Peta address')
    .argument('[url]', 'its address; default: the Peta that runs on PETA_HOME')
    .action(async (url: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const { mcpUrl, token } = await findTarget({ ...options, url: url ?? options.url });
      const bridge = createBridge({
        endpoint: createEndpoint(mcpUrl, token),
        write: (message) => void process.stdout.write(`${JSON.stringify(message)}\n`),
        note: (sentence) => console.error(`peta connect: ${sentence}`),
        patienceMs: PATIENCE_MS,
      });
      for (const signal of ['SIGINT', 'SIGTERM'] as const)
        process.once(signal, () => void bridge.close(0).then(() => process.exit(0)));
      for await (const line of createInterface({ input: process.stdin })) if (line.trim() !== '') bridge.take(line);
      await bridge.close(LAST_ANSWERS_MS);
      process.exit(0);
    });
};
