/** Servers that offer more to clients that can be asked. */
import { join } from 'node:path';
import type { Client } from '@peta/api';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newPerson } from '../harness/behind.ts';
import { fixture, registerFixture } from '../harness/fixtures.ts';
import { type Capabilities, type Peer, textIn } from '../harness/peer.ts';
import { peers } from '../harness/peers.ts';
import { becomeOwner, cleanUp, ROOT, type RunningPeta, startPeta, until } from '../harness/peta.ts';

const FORMS: Capabilities = { elicitation: {} };
const NOTHING: Capabilities = {};
const REFERENCE = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');

let peta: RunningPeta;
let api: Client;
let token: string;
let servers = 0;
const open: Peer[] = [];

beforeAll(async () => {
  peta = await startPeta();
  ({ api } = await becomeOwner(peta));
});
afterEach(async () => void (await Promise.all(open.splice(0).map((peer) => peer.close()))));
afterAll(cleanUp);

/** A server of its own, behind an endpoint of its own: what clients connect to. */
const stand = async (launchConfig: ReturnType<typeof fixture>): Promise<{ serverId: string; url: string }> => {
  servers += 1;
  const serverId = `offering-${servers}`;
  await registerFixture(api, serverId, launchConfig);
  token = await newPerson(api, 'ada', [serverId]);
  const { endpoint } = await api.endpoints.create({ name: serverId, nameStyle: 'none', selection: [{ serverId }] });
  return { serverId, url: `${peta.url}${endpoint.path}` };
};
const offering = (era: string) => stand(fixture('offering', '--era', era));

describe.each(peers)('a client of %s', (_era, connect) => {
  const enter = async (url: string, capabilities: Capabilities): Promise<Peer> => {
    const peer = await connect({ url, token, capabilities });
    open.push(peer);
    return peer;
  };

  test.each(['legacy', 'modern'])(
    'that takes forms is offered the tool that asks, of a %s server, and no other is',
    async (era) => {
      const { serverId, url } = await offering(era);
      const [asked, other] = [await enter(url, FORMS), await enter(url, NOTHING)];
      expect(await other.tools()).toEqual(['grow', 'roots']);
      expect(await asked.tools()).toEqual(['roots', 'grow', 'ask']);
      expect(await other.tools()).toEqual(['grow', 'roots']);
      expect(textIn(await asked.call('ask'))).toContain('What then?');
      expect(asked.asked).toMatchObject([{ method: 'elicitation/create' }]);
      await expect(other.call('ask')).rejects.toThrow('Unknown tool: ask');
      const { capabilities } = await api.capabilities.ofServer({ serverId });
      expect(Object.keys(capabilities.tools).sort()).toEqual(['ask', 'grow', 'roots']);
    },
  );

  test('calls the tool that asks without having listed anything', async () => {
    const { url } = await offering('legacy');
    const asked = await enter(url, FORMS);
    expect(textIn(await asked.call('ask'))).toContain('What then?');
  });

  test('hears of what its call has changed, and nobody else does who is served by another process', async () => {
    const { url } = await offering('legacy');
    const [asked, other] = [await enter(url, FORMS), await enter(url, NOTHING)];
    await asked.tools();
    await asked.call('grow');
    await until('the list has grown', async () => (await asked.tools()).includes('grown-1'), 3_000);
    expect(await asked.tools()).toEqual(['roots', 'grow', 'ask', 'grown-1']);
    expect(await other.tools()).toEqual(['grow', 'roots']);
    await other.call('grow');
    await until('the list has grown', async () => (await other.tools()).includes('grown-1'), 3_000);
  });

  test('is asked for its roots by a server that asks as soon as it is connected to, also long after it was listed', async () => {
    const { url } = await offering('legacy');
    const peer = await enter(url, { roots: {} });
    peer.answers.roots = () => [{ uri: 'file:///mine' }];
    expect(await peer.tools()).toEqual(['grow', 'roots']);
    await new Promise((done) => setTimeout(done, 1_500));
    expect(textIn(await peer.call('roots'))).toContain('file:///mine');
  });

  test('is offered by the reference server what it offers to such clients', async () => {
    const { url } = await stand({ type: 'stdio', command: process.execPath, args: [REFERENCE] });
    const [asked, other] = [await enter(url, FORMS), await enter(url, NOTHING)];
    const extra = 'trigger-elicitation-request';
    expect(await asked.tools()).toContain(extra);
    expect(await asked.tools()).not.toContain('get-roots-list');
    expect(await other.tools()).not.toContain(extra);
    expect(JSON.stringify(await asked.call(extra))).toContain('User provided');
  });
});
