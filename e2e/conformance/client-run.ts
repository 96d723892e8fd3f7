import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { becomeOwner, startPeta } from '../harness/peta.ts';
import { type Gateway, perform, type Task } from './client-scenarios.ts';
import { type Results, runSuite } from './suite.ts';

const DRIVER = join(import.meta.dirname, 'client.ts');
/** All scenarios are started at once and wait for each other. */
const TIMEOUT_MS = 240_000;
/** Scenarios that measure time begin once the machine is done with starting all the drivers. */
const CALM_MS = 1_500;

type Performer = { url: string };

/** Takes scenarios over HTTP and performs them one after another, however many the suite starts at once. */
const createPerformer = async (gateway: Gateway): Promise<Performer> => {
  let last: Promise<unknown> = Promise.resolve();
  let latest = 0;
  const calm = async (): Promise<void> => {
    const leftMs = latest + CALM_MS - Date.now();
    if (leftMs <= 0) return;
    await new Promise((done) => setTimeout(done, leftMs));
    await calm();
  };
  const server = createServer(async (request, response) => {
    latest = Date.now();
    let text = '';
    for await (const chunk of request) text += chunk;
    const task = JSON.parse(text) as Task;
    const mine = last.then(calm).then(() => perform(task, gateway));
    last = mine.catch(() => {});
    await mine.then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(`${task.scenario}: ${String(error)}`),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  server.unref();
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
};

/** Starts a Peta that is, one scenario at a time, the client of the suite's servers. */
export const startClientPerformer = async (): Promise<Performer> => {
  const peta = await startPeta();
  return createPerformer({ mcpUrl: peta.mcpUrl, ...(await becomeOwner(peta)) });
};

/** One leg: Peta as a client in a revision. */
export const runClientLeg = ({ url }: Performer, revision: string, folder: string): Promise<Results> => {
  const command = ['--command', `${process.execPath} ${DRIVER}`, '--timeout', String(TIMEOUT_MS)];
  return runSuite(['client', ...command, '--requirements', revision], folder, { PETA_CONFORMANCE_PERFORMER: url });
};
