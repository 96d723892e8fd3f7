import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endServers, serveHttp } from '../harness/behind.ts';
import { openStream } from '../harness/events.ts';
import { fixture, registerFixture } from '../harness/fixtures.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { initialize, post } from '../harness/raw.ts';
import { legacyTasks, modernTasks } from '../harness/tasks.ts';

const SECRET = 'one secret for every replica, at least';
let one: RunningPeta;
let other: RunningPeta;
let api: Client;
let token: string;

const ERAS = ['legacy', 'modern'] as const;
/** By the same address on every replica, so that each takes the other's access tokens. */
const SHARED = { JWT_SECRET: SECRET, PETA_PUBLIC_URL: 'https://peta.example' };

/** Another Peta on the database of the first. */
const startReplica = (): Promise<RunningPeta> => {
  const [, , , port] = readFileSync(join(one.home, 'postgres/postmaster.pid'), 'utf8').split('\n');
  const password = readFileSync(join(one.home, 'postgres.password'), 'utf8').trim();
  const DATABASE_URL = `postgresql://peta:${password}@127.0.0.1:${port}/postgres`;
  return startPeta({ env: { ...SHARED, DATABASE_URL } });
};

beforeAll(async () => {
  one = await startPeta({ env: SHARED });
  ({ api, token } = await becomeOwner(one));
  await registerFixture(api, 'fast');
  await registerFixture(api, 'old', fixture('conformance', '--stdio', '--era', 'legacy'));
  // Servers that every replica reaches.
  for (const era of ERAS) await registerFixture(api, `web-${era}`, { type: 'http', url: await serveHttp(era) });
  other = await startReplica();
}, 60_000);
afterAll(async () => {
  endServers();
  await cleanUp();
});

const inSession = (session: string) => ({ token, headers: { 'mcp-session-id': session } });

/** A session of a client that can be asked, opened at the first replica. */
const begin = async (): Promise<string> => {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: { elicitation: {} },
    clientInfo: { name: 'raw', version: '1' },
  };
  const { headers } = await post(one.mcpUrl, { jsonrpc: '2.0', id: 0, method: 'initialize', params }, { token });
  return headers.get('mcp-session-id') ?? '';
};

const call = (name: string, args: object, id: number | string = 1) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args, _meta: { progressToken: 'p' } },
});

describe('a session', () => {
  test('opened at one replica is known at the other, and ended there it is ended here', async () => {
    const session = await begin();
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    expect((await post(other.mcpUrl, list, inSession(session))).status).toBe(200);
    await post(other.mcpUrl, {}, { ...inSession(session), method: 'DELETE' });
    await until('it is ended here', async () => (await post(one.mcpUrl, list, inSession(session))).status === 404);
  });

  test('open at one replica is seen at the other, and ends within a second when it is ended there', async () => {
    const session = await begin();
    const stream = await openStream(other.mcpUrl, { token, session });
    const { sessions } = await until('it is seen', async () => {
      const seen = await api.sessions.list({});
      return seen.sessions[0]?.openStreams === 1 && seen;
    });
    await api.sessions.end({ sessionId: sessions[0]?.sessionId ?? '' });
    const since = Date.now();
    await stream.rest();
    expect(Date.now() - since).toBeLessThan(1_000);
    expect((await openStream(other.mcpUrl, { token, session })).status).toBe(404);
  });

  test('is asked by one replica and may answer to the other', async () => {
    const session = await begin();
    const body = call('old__test_elicitation', { message: 'May I?' });
    const stream = await openStream(one.mcpUrl, { token, session, body });
    let asked = await stream.next();
    while (asked && asked.message.method !== 'elicitation/create') asked = await stream.next();
    const result = { action: 'accept', content: { response: 'from afar' } };
    const answer = { jsonrpc: '2.0', id: asked?.message.id, result };
    expect((await post(other.mcpUrl, answer, inSession(session))).status).toBe(202);
    const rest = await stream.rest();
    expect(JSON.stringify(rest.at(-1)?.message)).toContain('from afar');
  });

  test('cancels at one replica what it asked of the other', async () => {
    const session = await begin();
    const body = call('fast__slow', { ms: 20_000, steps: 100 }, 'to cancel');
    const stream = await openStream(one.mcpUrl, { token, session, body });
    await stream.next();
    const params = { requestId: 'to cancel' };
    await post(other.mcpUrl, { jsonrpc: '2.0', method: 'notifications/cancelled', params }, inSession(session));
    const rest = await stream.rest();
    expect(rest.some(({ message }) => 'result' in message || 'error' in message)).toBe(false);
  });

  test('comes back at the other replica to a call that runs here', async () => {
    const session = await begin();
    const stream = await openStream(one.mcpUrl, {
      token,
      session,
      body: call('fast__slow', { ms: 2_000, steps: 10 }),
    });
    const first = await stream.next();
    stream.cut();
    const again = await openStream(other.mcpUrl, { token, session, lastEventId: first?.id ?? '' });
    const rest = await again.rest();
    const steps = rest.flatMap(({ message: { params } }) =>
      params ? [(params as { progress: number }).progress] : [],
    );
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(rest.at(-1)?.message).toMatchObject({ id: 1, result: { content: [{ text: 'done' }] } });
  });
});

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
};
type Answer = { result?: Record<string, unknown>; error?: { code: number; message: string } };
/** A stateless call of a client that can be asked. */
const ask = async (peta: RunningPeta, message: string, more: object = {}): Promise<Answer> => {
  const name = 'old__test_elicitation';
  const params = { name, arguments: { message }, ...more, _meta: META };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name };
  const { json } = await post(peta.mcpUrl, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, { token, headers });
  return json as Answer;
};

describe('a call that waits for an answer', () => {
  test('is answered at whichever replica, and once', async () => {
    const { result } = await ask(one, 'Well?');
    expect(result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
    const [key] = Object.keys(result?.inputRequests ?? {});
    const answers = { [key ?? '']: { action: 'accept', content: { response: 'elsewhere' } } };
    const retry = { requestState: result?.requestState, inputResponses: answers };
    const both = await Promise.all([ask(other, 'Well?', retry), ask(other, 'Well?', retry)]);
    const done = both.filter((answer) => answer.result);
    expect(done).toHaveLength(1);
    expect(JSON.stringify(done[0]?.result)).toContain('elsewhere');
    expect(both.find((answer) => answer.error)?.error).toMatchObject({ code: -32602 });
    expect((await ask(one, 'Well?', retry)).error).toMatchObject({ code: -32602 });
  });

  test('is gone with its replica, and its client is told so soon', async () => {
    const third = await startReplica();
    const { result } = await ask(third, 'Still there?');
    await third.end('SIGKILL');
    const [key] = Object.keys(result?.inputRequests ?? {});
    const answers = { [key ?? '']: { action: 'accept', content: { response: 'too late' } } };
    const began = Date.now();
    const answer = await ask(one, 'Still there?', { requestState: result?.requestState, inputResponses: answers });
    expect(answer.error).toMatchObject({ code: -32602, message: expect.stringContaining('Make it anew') });
    expect(Date.now() - began).toBeLessThan(30_000);
  }, 60_000);
});

describe.each([
  ['2025-11-25', legacyTasks],
  ['2026-07-28', modernTasks],
])('a task of a client of %s', (_era, connect) => {
  test.each(ERAS)('is good at the other replica, which is asked what it asks (%s server)', async (era) => {
    const [here, there] = [await connect(one.mcpUrl, token), await connect(other.mcpUrl, token)];
    const { taskId } = await here.begin(`web-${era}__confirm_delete`, { filename: 'afar' });
    const ending = await there.finish(taskId);
    expect(ending).toMatchObject({ result: { content: [{ text: expect.stringContaining('afar: accept') }] } });
    expect([here.asked, there.asked]).toEqual([[], ['Delete afar?']]);
    expect((await here.get(taskId)).status).toBe('completed');
    await Promise.all([here.close(), there.close()]);
  });
});

describe('what is ended at one replica', () => {
  /** A token with what ends it. */
  const WAYS: Record<string, () => Promise<{ bearer: string; end(): Promise<unknown> }>> = {
    'a service token': async () => {
      const { secret, token: issued } = await api.tokens.issue({ userId: 'ann' });
      return { bearer: secret, end: () => api.tokens.revoke({ tokenId: issued.tokenId }) };
    },
    'an OAuth client': async () => {
      const { client, secret } = await api.clients.create({ name: 'Agent', userId: 'ann' });
      const answer = await fetch(`${one.url}/oauth/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${client.clientId}:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${SHARED.PETA_PUBLIC_URL}/mcp` }),
      });
      const { access_token: bearer } = (await answer.json()) as { access_token: string };
      return { bearer, end: () => api.clients.remove({ clientId: client.clientId }) };
    },
    'a person': async () => {
      await api.users.create({ userId: 'bob', name: 'Bob' });
      const { secret } = await api.tokens.issue({ userId: 'bob' });
      return { bearer: secret, end: () => api.users.disable({ userId: 'bob' }) };
    },
  };
  beforeAll(() => api.users.create({ userId: 'ann', name: 'Ann' }));

  test.each(Object.keys(WAYS))('%s has its open stream at the other ended within a second', async (way) => {
    const begun = await WAYS[way]?.();
    if (!begun) throw new Error(way);
    const { bearer, end } = begun;
    const session = await initialize(other.mcpUrl, bearer);
    const stream = await openStream(other.mcpUrl, { token: bearer, session });
    expect(stream.status).toBe(200);
    await end();
    const since = Date.now();
    await stream.rest();
    expect(Date.now() - since).toBeLessThan(1_000);
    expect((await openStream(other.mcpUrl, { token: bearer, session })).status).toBe(401);
  });
});
