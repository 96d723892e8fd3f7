import { startPeta } from '@peta/core';
import { readConfig } from '@peta/core/config';
import { printLine } from '../print.ts';
import { version } from '../version.ts';
import { type Demo, startDemo } from './demo.ts';
import { demoGuide, firstSteps } from './guide.ts';

type StartOptions = { demo?: boolean; json?: boolean };

const HARD_LIMIT_MS = 9_500;
const EXIT_CODE: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** The first signal drains and ends with 0, within a limit; the second ends at once. Tells whether there was one. */
const onSignals = (stop: () => Promise<unknown>): { isStopping(): boolean } => {
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
  return { isStopping: () => isStopping };
};

/** Runs Peta until it is told to stop. Rejects with a sentence when it does not start. */
export const start = async ({ demo: wantsDemo, json }: StartOptions): Promise<void> => {
  const starting = startPeta({ config: readConfig(process.env), version });
  let demo: Demo | undefined;
  const signals = onSignals(async () => {
    const peta = await starting.catch(() => undefined);
    await peta?.stop();
    await demo?.close();
  });
  const peta = await starting;
  if (signals.isStopping()) return;
  try {
    demo = wantsDemo ? await startDemo(peta) : undefined;
  } catch (error) {
    if (signals.isStopping()) return;
    await peta.stop();
    throw error;
  }
  const { url, mcpUrl, setupLink } = peta;
  if (json) printLine(JSON.stringify({ url, mcpUrl, setupLink, ...(demo && { token: demo.token }) }));
  else printLine(demo ? demoGuide(peta, demo) : firstSteps(peta));
  const reason = await peta.closed;
  if (signals.isStopping()) return;
  await demo?.close();
  if (reason) throw new Error(reason);
};
