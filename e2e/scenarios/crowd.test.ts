/** Many clients of many people at once, of both eras, on the same servers. */
import type { Client } from '@peta/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Behind, endServers, livingProcesses, newPerson, standBehind } from '../harness/behind.ts';
import type { Peer } from '../harness/peer.ts';
import { peers } from '../harness/peers.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta } from '../harness/peta.ts';

const PEOPLE = 20;
const CLIENTS = 50;
const CALLS_EACH = 20;
const AT_ONCE = 4;
const MAX_INSTANCES = 8;
/** The SDK of 2026-07-28 tells of rounds by progress of its own. */
const OWN_STEP = 'Fulfilling input required';

let peta: RunningPeta;
let api: Client;
let servers: Behind[];
const open: Peer[] = [];

beforeAll(async () => {
  peta = await startPeta({ env: { PETA_MAX_INSTANCES: String(MAX_INSTANCES) } });
  ({ api } = await becomeOwner(peta));
  servers = await Promise.all([
    standBehind(peta, api, 'legacy', 'stdio'),
    standBehind(peta, api, 'legacy', 'http'),
    standBehind(peta, api, 'modern', 'http'),
  ]);
});
afterAll(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  endServers();
  await cleanUp();
});

test('1,000 interleaved calls of 50 clients: nobody ever sees what is another’s', async () => {
  const serverIds = servers.map(({ serverId }) => serverId);
  const tokens = await Promise.all(
    Array.from({ length: PEOPLE }, (_, at) => newPerson(api, `person-${at}`, serverIds)),
  );
  const since = Date.now();
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, at) => {
      const [, connect] = peers[at % 2] ?? peers[0];
      const peer = await connect({ url: peta.mcpUrl, token: tokens[at % tokens.length] ?? '', name: 'same-program' });
      open.push(peer);
      peer.answers.elicit = ({ message }) => ({ action: 'accept', content: { answer: `client ${at} on ${message}` } });
      await peer.setLevel('info');
      return { peer, at };
    }),
  );
  const one = async ({ peer, at }: (typeof clients)[number], call: number) => {
    const marker = `client ${at} call ${call}`;
    const steps: { message?: string | undefined }[] = [];
    const name = `${serverIds[call % serverIds.length]}__marked`;
    const result = await peer.call(name, { marker }, { onprogress: (step) => void steps.push(step) });
    expect(result.structuredContent).toEqual({
      marker,
      asked: marker,
      action: 'accept',
      content: { answer: `client ${at} on ${marker}` },
    });
    expect(steps.filter(({ message }) => !message?.startsWith(OWN_STEP))).toEqual([
      { progress: 1, total: 2, message: marker },
    ]);
  };
  const callAll = async (client: (typeof clients)[number]) => {
    const left = Array.from({ length: CALLS_EACH }, (_, call) => call);
    const worker = async () => {
      for (let call = left.shift(); call !== undefined; call = left.shift()) await one(client, call);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  };
  await Promise.all(clients.map(callAll));
  const tookMs = Date.now() - since;
  for (const { peer, at } of clients) {
    const own = Array.from({ length: CALLS_EACH }, (_, call) => `client ${at} call ${call}`).sort();
    expect(peer.asked.map(({ params }) => params.message).sort()).toEqual(own);
    expect(peer.told.map(({ params }) => params.data).sort()).toEqual(own);
  }
  console.log(`1,000 calls of 50 clients, each with a question: ${(tookMs / 1000).toFixed(1)} s`);
  expect(tookMs).toBeLessThan(60_000);
  for (const server of servers.filter(({ transport }) => transport === 'stdio'))
    expect(livingProcesses(server)).toBeLessThanOrEqual(MAX_INSTANCES + 1);
}, 100_000);
