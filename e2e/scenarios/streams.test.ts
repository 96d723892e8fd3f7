import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import type { Client } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStream, type StreamedEvent } from '../harness/events.ts';
import { fixture, registerFixture } from '../harness/fixtures.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, initialize, post } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
let token: string;

beforeAll(async () => {
  peta = await startPeta();
  ({ api, token } = await becomeOwner(peta));
  await registerFixture(api, 'fast');
  await registerFixture(api, 'changing', fixture('changing'));
});
const servers: Server[] = [];
afterAll(async () => {
  for (const server of servers) server.close();
  await cleanUp();
});

/** Resident bytes of a process. */
const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;

/** A call that reports progress `steps` times in `ms` milliseconds. */
const slow = (ms: number, steps: number, id: string | number = 7) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'fast__slow', arguments: { ms, steps }, _meta: { progressToken: 'p' } },
});

const progressIn = (events: readonly StreamedEvent[]): unknown[] =>
  events.flatMap(({ message: { method, params } }) =>
    method === 'notifications/progress' ? [(params as { progress: number }).progress] : [],
  );
const resultIn = (events: readonly StreamedEvent[]) => events.find(({ message }) => 'result' in message)?.message;
const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);
const lastIdOf = (events: readonly StreamedEvent[]) => events.findLast(({ id }) => id !== undefined)?.id ?? '';

/** Reads until so many steps were reported. */
const readSteps = async (stream: Awaited<ReturnType<typeof openStream>>, steps: number): Promise<StreamedEvent[]> => {
  const events: StreamedEvent[] = [];
  while (progressIn(events).length < steps) {
    const event = await stream.next();
    if (!event) throw new Error('The stream ended early.');
    events.push(event);
  }
  return events;
};

describe('a call whose connection is cut', () => {
  test('goes on, and its client comes back to all it missed, in order and once', async () => {
    const session = await initialize(peta.mcpUrl, token);
    const first = await openStream(peta.mcpUrl, { token, session, body: slow(2_000, 20) });
    const before = await readSteps(first, 5);
    first.cut();
    await new Promise((done) => setTimeout(done, 600));
    const again = await openStream(peta.mcpUrl, { token, session, lastEventId: lastIdOf(before) });
    const after = await again.rest();
    expect(progressIn([...before, ...after])).toEqual(upTo(20));
    expect(resultIn(after)).toMatchObject({ id: 7, result: { content: [{ text: 'done' }] } });
  });

  test('is given its result even after it has ended, for as often as it asks', async () => {
    const session = await initialize(peta.mcpUrl, token);
    const first = await openStream(peta.mcpUrl, { token, session, body: slow(600, 6, 'x') });
    const before = await readSteps(first, 2);
    first.cut();
    await new Promise((done) => setTimeout(done, 1_200));
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const again = await openStream(peta.mcpUrl, { token, session, lastEventId: lastIdOf(before) });
      const after = await again.rest();
      expect(progressIn([...before, ...after])).toEqual(upTo(6));
      expect(resultIn(after)).toMatchObject({ id: 'x' });
    }
  });

  test('has something to come back with before the server has said anything', async () => {
    const session = await initialize(peta.mcpUrl, token);
    const stream = await openStream(peta.mcpUrl, { token, session, body: slow(2_500, 1) });
    const first = await stream.next();
    expect(first).toMatchObject({ message: {}, retry: expect.any(Number), id: expect.any(String) });
    stream.cut();
    const again = await openStream(peta.mcpUrl, { token, session, lastEventId: first?.id ?? '' });
    expect(resultIn(await again.rest())).toMatchObject({ id: 7 });
  });

  test('is nothing that another session, or another person, can come back to', async () => {
    const session = await initialize(peta.mcpUrl, token);
    const stream = await openStream(peta.mcpUrl, { token, session, body: slow(1_000, 10) });
    const before = await readSteps(stream, 2);
    const other = await initialize(peta.mcpUrl, token);
    const stolen = await openStream(peta.mcpUrl, { token, session: other, lastEventId: lastIdOf(before) });
    expect(stolen.status).toBe(400);
    expect(await stolen.rest()).toEqual([]);
    stream.cut();
  });
});

test.each(['x', 'r.1', `r${'A'.repeat(22)}.1`, `${'9'.repeat(4_000)}.1`])(
  'a Last-Event-ID of nothing, %#, is refused in words',
  async (lastEventId) => {
    const session = await initialize(peta.mcpUrl, token);
    const { status, text } = await post(
      peta.mcpUrl,
      {},
      {
        token,
        method: 'GET',
        headers: { accept: 'text/event-stream', 'mcp-session-id': session, 'last-event-id': lastEventId },
      },
    );
    expect([status, JSON.parse(text).error.message]).toEqual([400, expect.stringContaining('Last-Event-ID')]);
  },
);

/** A proxy that cuts a connection on which nothing was said for `idleMs`. */
const startProxy = async (target: string, idleMs: number): Promise<{ url: string; cut: () => number }> => {
  const { hostname, port, pathname } = new URL(target);
  let cut = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      socket.setTimeout(idleMs, () => {
        cut += 1;
        client.destroy();
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
    upstream.on('data', () => client.setTimeout(idleMs));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  servers.push(server);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`, cut: () => cut };
};

test('a call that is silent for long survives a proxy that cuts idle connections', async () => {
  const own = await startPeta({ env: { PETA_KEEPALIVE_SECONDS: '0.5' } });
  const owner = await becomeOwner(own);
  await owner.api.servers.create({ serverId: 'fast', launchConfig: fixture('fast', '--stdio') });
  const proxy = await startProxy(own.mcpUrl, 2_000);
  const session = await initialize(proxy.url, owner.token);
  const silent = { ...slow(5_000, 1), params: { name: 'fast__slow', arguments: { ms: 5_000 } } };
  const stream = await openStream(proxy.url, { token: owner.token, session, body: silent });
  expect(resultIn(await stream.rest())).toMatchObject({ id: 7 });
  const modern = await callTool(proxy.url, owner.token, 'fast__slow', { ms: 4_000 });
  expect(JSON.stringify(modern.json)).toContain('done');
}, 60_000);

test('a client that does not read is cut off before it costs much memory, and can come back', async () => {
  const own = await startPeta();
  const owner = await becomeOwner(own);
  await owner.api.servers.create({ serverId: 'noise', launchConfig: fixture('flood') });
  const session = await initialize(own.mcpUrl, owner.token);
  const body = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'noise__flood', arguments: { lines: 3_000, bytes: 64_000 } },
  };
  const text = JSON.stringify(body);
  const { hostname, port, pathname } = new URL(own.mcpUrl);
  const socket = connect(Number(port), hostname);
  socket.write(
    [
      `POST ${pathname} HTTP/1.1`,
      `host: ${hostname}:${port}`,
      'content-type: application/json',
      'accept: application/json, text/event-stream',
      `authorization: Bearer ${owner.token}`,
      `mcp-session-id: ${session}`,
      `content-length: ${Buffer.byteLength(text)}`,
      '',
      text,
    ].join('\r\n'),
  );
  socket.pause();
  const before = memoryOf(own.pid);
  let most = before;
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      most = Math.max(most, memoryOf(own.pid));
    }, 100);
    setTimeout(() => {
      clearInterval(timer);
      done();
    }, 12_000);
  });
  expect(most - before).toBeLessThan(300 * 1024 * 1024);
  socket.destroy();
  const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
  const answer = await post(own.mcpUrl, ping, { token: owner.token, headers: { 'mcp-session-id': session } });
  expect(answer.status).toBe(200);
}, 60_000);

describe('the stream of a session', () => {
  test('that is cut misses nothing once its client comes back', async () => {
    const session = await initialize(peta.mcpUrl, token);
    const first = await openStream(peta.mcpUrl, { token, session });
    const primed = await first.next();
    first.cut();
    const grow = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'changing__grow', arguments: {} } };
    await post(peta.mcpUrl, grow, { token, headers: { 'mcp-session-id': session } });
    await new Promise((done) => setTimeout(done, 1_000));
    const again = await openStream(peta.mcpUrl, { token, session, lastEventId: primed?.id ?? '' });
    expect((await again.next())?.message).toMatchObject({ method: 'notifications/tools/list_changed' });
    again.cut();
  });

  test('ends with the session, which ends with DELETE', async () => {
    const session = await initialize(peta.mcpUrl, token);
    const stream = await openStream(peta.mcpUrl, { token, session });
    await stream.next();
    const headers = { 'mcp-session-id': session };
    expect((await post(peta.mcpUrl, {}, { token, method: 'DELETE', headers })).status).toBe(204);
    expect(await stream.rest()).toEqual([]);
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    expect((await post(peta.mcpUrl, ping, { token, headers })).status).toBe(404);
  });
});

describe('a Peta that is killed', () => {
  test('and started again goes on with its sessions, and tells of calls that were under way', async () => {
    const own = await startPeta();
    const owner = await becomeOwner(own);
    await owner.api.servers.create({ serverId: 'fast', launchConfig: fixture('fast', '--stdio') });
    const session = await initialize(own.mcpUrl, owner.token);
    const running = await until('the call runs', async () => {
      const stream = await openStream(own.mcpUrl, { token: owner.token, session, body: slow(60_000, 600) });
      return stream.status === 200 && stream;
    });
    const before = await readSteps(running, 10);
    const changes = await openStream(own.mcpUrl, { token: owner.token, session });
    const primed = await changes.next();
    await own.end('SIGKILL');
    // The client heard only so much of what was said before the end.
    const heard = before.slice(0, 6);

    const second = await startPeta({ home: own.home, env: { BACKEND_PORT: new URL(own.url).port } });
    const again = await openStream(second.mcpUrl, { token: owner.token, session, lastEventId: lastIdOf(heard) });
    const after = await again.rest();
    const reported = progressIn([...heard, ...after]);
    expect(reported).toEqual(upTo(reported.length));
    expect(reported.length).toBeGreaterThanOrEqual(progressIn(before).length);
    expect(after.at(-1)?.message).toMatchObject({
      id: 7,
      error: { message: expect.stringContaining('restarted while this call ran') },
    });

    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
    const { status } = await post(second.mcpUrl, list, { token: owner.token, headers: { 'mcp-session-id': session } });
    expect(status).toBe(200);
    const resumed = await openStream(second.mcpUrl, { token: owner.token, session, lastEventId: primed?.id ?? '' });
    const kinds = [await resumed.next(), await resumed.next(), await resumed.next()];
    expect(kinds.map((event) => event?.message.method)).toEqual([
      'notifications/tools/list_changed',
      'notifications/resources/list_changed',
      'notifications/prompts/list_changed',
    ]);
    resumed.cut();
  }, 60_000);
});
