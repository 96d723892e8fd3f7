/**
 * Peta as a client under the official conformance suite: `node e2e/conformance/client-run.ts [revision]`, both revisions
 * without one. One Peta serves all scenarios, one scenario at a time, however many the suite starts at once: some of
 * them measure time. Exits with the suite's code, so with 0 when nothing failed that is not expected to.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { becomeOwner, cleanUp, ROOT, startPeta } from '../harness/peta.ts';
import { type Gateway, perform, type Task } from './client-scenarios.ts';

const HERE = import.meta.dirname;
const SUITE = join(ROOT, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const REVISIONS = ['2025-11-25', '2026-07-28'];
/** All scenarios are started at once and wait for each other. */
const TIMEOUT_MS = 240_000;

/** Takes scenarios over HTTP and performs them one after another. Returns its address and how to end it. */
const createPerformer = async (gateway: Gateway): Promise<{ url: string; close(): void }> => {
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const task = JSON.parse(text) as Task;
    const mine = last.then(() => perform(task, gateway));
    last = mine.catch(() => {});
    await mine.then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(`${task.scenario}: ${String(error)}`),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
};

const runSuite = (revision: string, performerUrl: string): Promise<number> => {
  const args = [
    SUITE,
    'client',
    ...['--command', `${process.execPath} ${join(HERE, 'client.ts')}`],
    ...['--requirements', revision],
    ...['--expected-failures', join(HERE, 'expected-failures-client.yaml')],
    ...['--timeout', String(TIMEOUT_MS)],
    ...process.argv.slice(3),
  ];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, PETA_CONFORMANCE_PERFORMER: performerUrl },
    stdio: 'inherit',
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code) => done(code ?? 1));
  });
};

const [wanted] = process.argv.slice(2);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().finally(() => process.exit(1)));
const peta = await startPeta();
const performer = await createPerformer({ mcpUrl: peta.mcpUrl, ...(await becomeOwner(peta)) });
try {
  for (const revision of wanted === undefined ? REVISIONS : [wanted]) {
    const code = await runSuite(revision, performer.url);
    process.exitCode = Math.max(Number(process.exitCode ?? 0), code);
  }
} finally {
  performer.close();
  await cleanUp();
}
