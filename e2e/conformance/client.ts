/**
 * What the conformance suite starts as "the client": performs one scenario through Peta against the suite's server,
 * whose address is the last argument. Exits with 0 when every step went well.
 *
 * Started by run.ts it hands the scenario over to that one, which has a Peta ready; alone it starts a Peta.
 */
import type { Task } from './client-scenarios.ts';

const { env } = process;

const task: Task = {
  scenario: env.MCP_CONFORMANCE_SCENARIO ?? '',
  revision: env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '2025-11-25',
  serverUrl: process.argv.at(-1) ?? '',
  context: env.MCP_CONFORMANCE_CONTEXT === undefined ? undefined : JSON.parse(env.MCP_CONFORMANCE_CONTEXT),
};

const handOver = async (to: string): Promise<void> => {
  const response = await fetch(to, { method: 'POST', body: JSON.stringify(task) });
  if (!response.ok) throw new Error(await response.text());
};

const performAlone = async (): Promise<void> => {
  const { becomeOwner, cleanUp, startPeta } = await import('../harness/peta.ts');
  const { perform } = await import('./client-scenarios.ts');
  try {
    const peta = await startPeta();
    await perform(task, { mcpUrl: peta.mcpUrl, ...(await becomeOwner(peta)) });
  } finally {
    await cleanUp();
  }
};

try {
  await (env.PETA_CONFORMANCE_PERFORMER === undefined ? performAlone() : handOver(env.PETA_CONFORMANCE_PERFORMER));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
