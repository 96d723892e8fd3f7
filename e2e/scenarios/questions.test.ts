/** Whose question it is, who may answer it, and what becomes of one that nobody answers. */
import type { Client } from '@peta/api';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Behind, endServers, livingProcesses, newPerson, standBehind } from '../harness/behind.ts';
import { type Params, type Peer, textIn } from '../harness/peer.ts';
import { peers } from '../harness/peers.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { answering, playRound } from '../harness/rounds.ts';

const QUESTION_SECONDS = 3;
const MAX_INSTANCES = 2;

let peta: RunningPeta;
let api: Client;
let token: string;
const servers = new Map<string, Behind>();
const open: Peer[] = [];

beforeAll(async () => {
  peta = await startPeta({
    env: {
      PETA_QUESTION_TIMEOUT_SECONDS: String(QUESTION_SECONDS),
      PETA_MAX_INSTANCES: String(MAX_INSTANCES),
    },
  });
  ({ api, token } = await becomeOwner(peta));
  const behind = await Promise.all([
    standBehind(peta, api, 'legacy', 'stdio'),
    standBehind(peta, api, 'legacy', 'http'),
    standBehind(peta, api, 'modern', 'http'),
  ]);
  for (const server of behind) servers.set(server.serverId, server);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
});
afterAll(async () => {
  endServers();
  await cleanUp();
});

const behind = (serverId: string): Behind => {
  const server = servers.get(serverId);
  if (!server) throw new Error(`There is no server ${serverId}.`);
  return server;
};
const join = async (connect: (typeof peers)[number][1], serverId: string, more = {}): Promise<Peer> => {
  const peer = await connect({ url: behind(serverId).url, token, ...more });
  open.push(peer);
  return peer;
};
const accept = { action: 'accept', content: { answer: 'yes' } };
const asParams = (value: unknown): Params => (value ?? {}) as Params;
const never = () => new Promise<Params>(() => {});
/** What reached the server from now on. */
const listenTo = (server: Behind) => {
  const before = server.record().length;
  return () => server.record().slice(before);
};

describe.each(['legacy-stdio', 'legacy-http', 'modern-http'])('the state of a call to %s', (serverId) => {
  const begin = async (marker: string) => {
    const { url } = behind(serverId);
    const first = await playRound(url, token, 'marked', { marker });
    expect(first.result?.resultType).toBe('input_required');
    return { url, retry: answering(first, accept) };
  };
  const INVALID = { error: { code: -32602 } };

  test('is good for its person, its tool and its arguments alone', async () => {
    const { url, retry } = await begin('bound');
    const stranger = await newPerson(api, 'stranger', [serverId]);
    const state = retry.requestState ?? '';
    const middle = Math.floor(state.length / 2);
    const tampered = `${state.slice(0, middle)}${state[middle] === 'A' ? 'B' : 'A'}${state.slice(middle + 1)}`;
    const marker = 'bound';
    expect(await playRound(url, stranger, 'marked', { marker }, retry)).toMatchObject(INVALID);
    expect(await playRound(url, token, 'test_elicitation', { marker }, retry)).toMatchObject(INVALID);
    expect(await playRound(url, token, 'marked', { marker: 'other' }, retry)).toMatchObject(INVALID);
    expect(await playRound(url, token, 'marked', { marker }, { ...retry, requestState: tampered })).toMatchObject(
      INVALID,
    );
    expect(await playRound(url, token, 'marked', { marker }, { ...retry, requestState: 'x' })).toMatchObject(INVALID);
    const last = await playRound(url, token, 'marked', { marker }, retry);
    expect(last.result?.structuredContent).toMatchObject({ marker, asked: marker, content: { answer: 'yes' } });
  });

  test('is too old after a while, and the call it stood for has ended', async () => {
    const heard = listenTo(behind(serverId));
    const { url, retry } = await begin('late');
    await new Promise((done) => setTimeout(done, QUESTION_SECONDS * 1_000 + 500));
    expect(await playRound(url, token, 'marked', { marker: 'late' }, retry)).toMatchObject(INVALID);
    if (serverId === 'modern-http') return;
    expect(heard().map(({ method }) => method)).toContain('notifications/cancelled');
    expect(heard()).toContainEqual(
      expect.objectContaining({ error: { code: -32603, message: 'The client did not answer.' } }),
    );
  });
});

test.each(['legacy-stdio', 'legacy-http'])('a call that waits on %s is resumed once', async (serverId) => {
  const { url } = behind(serverId);
  const first = await playRound(url, token, 'marked', { marker: 'once' });
  const again = () => playRound(url, token, 'marked', { marker: 'once' }, answering(first, accept));
  const both = await Promise.all([again(), again()]);
  expect(both.filter(({ result }) => result !== undefined)).toHaveLength(1);
  expect(both.filter(({ error }) => error?.code === -32602)).toHaveLength(1);
  expect(await again()).toMatchObject({ error: { code: -32602 } });
});

describe.each(peers)('a client of %s', (_era, connect) => {
  test.each(['legacy-stdio', 'legacy-http', 'modern-http'])(
    'that declares nothing is never asked, and %s is told so',
    async (serverId) => {
      const server = behind(serverId);
      const client = await join(connect, serverId, { capabilities: {} });
      const heard = listenTo(server);
      const answered = await client.call('test_elicitation', { message: 'Who?' }).then(
        ({ isError }) => isError,
        ({ code }: { code: number }) => code,
      );
      expect(answered).toBe(server.era === 'legacy' ? true : -32021);
      expect(client.asked).toEqual([]);
      const said =
        server.era === 'legacy'
          ? server.record().find(({ method }) => method === 'initialize')?.params?.capabilities
          : asParams(heard()[0]?.params?._meta)['io.modelcontextprotocol/clientCapabilities'];
      expect(said).toEqual({});
    },
  );

  test('that declares one thing is asked for nothing else', async () => {
    const client = await join(connect, 'modern-http', { capabilities: { sampling: {} } });
    expect(textIn(await client.call('test_input_required_result_capabilities'))).toBe('answered: greeting');
    await expect(client.call('test_elicitation', { message: 'Who?' })).rejects.toMatchObject({ code: -32021 });
    expect(client.asked.map(({ method }) => method)).toEqual(['sampling/createMessage']);
  });

  test.each(['legacy-stdio', 'legacy-http'])('is not asked any more what %s has withdrawn', async (serverId) => {
    const client = await join(connect, serverId);
    let wasWithdrawn = false;
    client.answers.elicit = (_params, signal) =>
      new Promise((done) => {
        signal.addEventListener('abort', () => {
          wasWithdrawn = true;
        });
        setTimeout(() => done({ action: 'decline' }), 800);
      });
    expect(textIn(await client.call('withdraw', { marker: 'w', ms: 300 }))).toBe('withdrawn');
    // A client that is asked by an answer learns it when it comes back.
    expect(wasWithdrawn).toBe(client.era === '2025-11-25');
  });

  test('that is asked by a tool which mostly asks nothing is the one who called it', async () => {
    const asking = await join(connect, 'legacy-stdio', { name: 'asking' });
    const others = await Promise.all(peers.map(([, other]) => join(other, 'legacy-stdio', { name: 'other' })));
    const quiet = (peer: Peer, marker: string, ms = 0) => peer.call('sometimes', { marker, ask: false, ms });
    await quiet(asking, 'learn');
    const meanwhile = others.map((peer) => quiet(peer, 'quiet', 700));
    await new Promise((done) => setTimeout(done, 100));
    expect(textIn(await asking.call('sometimes', { marker: 'mine', ask: true }))).toBe('mine: mine');
    for (const result of await Promise.all(meanwhile)) expect(textIn(result)).toBe('quiet');
    for (const { asked } of others) expect(asked).toEqual([]);
  });
});

test('a session that ends in the middle of a question ends the call at the server', async () => {
  const server = behind('legacy-stdio');
  const heard = listenTo(server);
  const [[, connect]] = peers;
  const client = await connect({ url: server.url, token });
  client.answers.elicit = never;
  const call = client.call('test_elicitation', { message: 'Anybody?' }).catch(() => 'gone');
  await until('the client is asked', async () => client.asked.length > 0);
  await client.close();
  expect(await call).toBe('gone');
  await until('the server is told', async () =>
    heard().some(({ method, error }) => method === 'notifications/cancelled' || error !== undefined),
  );
});

test('clients that leave in the middle of questions leave nothing behind', async () => {
  const server = behind('legacy-stdio');
  const before = livingProcesses(server);
  for (let round = 0; round < 3; round += 1) {
    const asked = Array.from({ length: MAX_INSTANCES }, () =>
      playRound(server.url, token, 'test_elicitation', { message: 'Anybody?' }),
    );
    for (const { result } of await Promise.all(asked)) expect(result?.resultType).toBe('input_required');
  }
  expect(livingProcesses(server)).toBeLessThanOrEqual(Math.max(before, MAX_INSTANCES + 1));
  // Every connection was taken, and is free again.
  await until('a call gets through', async () => {
    const { result } = await playRound(server.url, token, 'test_simple_text', {});
    return result !== undefined;
  });
}, 60_000);

test('roots stay with their session, and the server hears when they change', async () => {
  const server = behind('legacy-stdio');
  const [[, connect]] = peers;
  const sessions = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const peer = await join(connect, 'legacy-stdio', { name });
      peer.answers.roots = () => [{ uri: `file:///${name}` }];
      return { peer, name };
    }),
  );
  const rootsOf = async ({ peer }: { peer: Peer }) => (await peer.call('ask_roots')).structuredContent?.roots;
  for (let round = 0; round < 5; round += 1)
    expect(await Promise.all(sessions.map(rootsOf))).toEqual([[{ uri: 'file:///one' }], [{ uri: 'file:///two' }]]);

  const [first, second] = sessions;
  if (!first || !second) throw new Error('There are two sessions.');
  const heard = listenTo(server);
  first.peer.answers.roots = () => [{ uri: 'file:///moved' }];
  const secondWasAsked = second.peer.asked.length;
  await first.peer.rootsChanged();
  await until('the server has asked anew', async () => heard().some(({ event }) => event === 'roots'));
  const told = heard().filter(({ method, event }) => method === 'notifications/roots/list_changed' || event);
  expect(new Set(told.map(({ pid }) => pid)).size).toBe(1);
  expect(told.at(-1)).toMatchObject({ event: 'roots', roots: [{ uri: 'file:///moved' }] });
  expect(second.peer.asked).toHaveLength(secondWasAsked);
});

test('more clients are asked at once than there may be connections, and all get through', async () => {
  const server = behind('legacy-stdio');
  const clients = await Promise.all(
    Array.from({ length: 6 }, async (_, at) => {
      const peer = await join(peers[at % 2]?.[1] ?? peers[0][1], 'legacy-stdio', { name: `client-${at}` });
      peer.answers.elicit = async () => {
        await new Promise((done) => setTimeout(done, 200));
        return { action: 'accept', content: { username: `client-${at}`, email: 'x' } };
      };
      return peer;
    }),
  );
  const results = await Promise.all(clients.map((peer) => peer.call('test_elicitation', { message: 'Who?' })));
  for (const [at, result] of results.entries()) expect(textIn(result)).toContain(`"username":"client-${at}"`);
  expect(livingProcesses(server)).toBeLessThanOrEqual(MAX_INSTANCES + 1);
});
