import { startPeta } from '@peta/core';
import { readConfig } from '@peta/core/config';
import { printLine } from '../print.ts';
import { version } from '../version.ts';
import { type Demo, startDemo } from './demo.ts';
import { demoGuide, firstSteps } from './guide.ts';

type StartOptions = { demo?: boolean; json?: boolean };

const HARD_LIMIT_MS = 9_500;
const EXIT_CODE: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** The first signal drains and ends with 0, the second ends at once. */
const onSignals = (stop: () => Promise<void>): void => {
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (isStopping) process.exit(EXIT_CODE[signal] ?? 1);
      isStopping = true;
      setTimeout(() => process.exit(0), HARD_LIMIT_MS).unref();
      void stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
};

/** Runs Peta until it is told to stop. Rejects with a sentence when it does not start. */
export const start = async ({ demo: wantsDemo, json }: StartOptions): Promise<void> => {
  const config = readConfig(process.env);
  const peta = await startPeta({ config, version });
  let demo: Demo | undefined;
  onSignals(async () => {
    await peta.stop();
    await demo?.close();
  });
  void peta.closed.then((reason) => {
    if (reason) console.error(`peta: ${reason}`);
    process.exit(reason ? 1 : 0);
  });
  try {
    demo = wantsDemo ? await startDemo(peta) : undefined;
  } catch (error) {
    await peta.stop();
    throw error;
  }
  const { url, mcpUrl, setupLink } = peta;
  if (json) printLine(JSON.stringify({ url, mcpUrl, setupLink, ...(demo && { token: demo.token }) }));
  else printLine(demo ? demoGuide(peta, demo) : firstSteps(peta));
};
