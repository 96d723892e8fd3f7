import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cleanUp, peta, ROOT, type RunningPeta, startPeta, until } from '../../../e2e/harness/peta.ts';

// Each step is a process of its own.
vi.setConfig({ testTimeout: 90_000 });

let port: string;
let running: RunningPeta;

const freePort = async (): Promise<string> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((done) => server.close(done));
  return String(typeof address === 'object' && address?.port);
};

const restart = async (): Promise<void> => {
  await running.end('SIGTERM');
  running = await startPeta({ home: running.home, args: ['--demo'], env: { BACKEND_PORT: port } });
};

beforeAll(async () => {
  port = await freePort();
  running = await startPeta({ args: ['--demo'], env: { BACKEND_PORT: port } });
});
afterAll(cleanUp);

/** A client that speaks stdio alone, as the owner's key of the folder lets it. */
const connect = async (mode: 'legacy' | { pin: string }): Promise<Client> => {
  const client = new Client({ name: 'stdio-only', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [join(ROOT, 'cli/src/main.ts'), 'connect', `http://127.0.0.1:${port}/mcp`],
      env: { PATH: process.env.PATH ?? '', PETA_TOKEN: await lastingToken() },
      stderr: 'pipe',
    }),
  );
  return client;
};

const lastingToken = async (): Promise<string> => {
  const { stdout } = await peta(running.home, ['tokens', 'issue', 'demo', '--json']);
  return (JSON.parse(stdout) as { secret: string }).secret;
};

const echo = async (client: Client, message: string): Promise<unknown> =>
  (await client.callTool({ name: 'everything__echo', arguments: { message } })).content;

describe.each([
  ['2025-11-25', 'legacy' as const],
  ['2026-07-28', { pin: '2026-07-28' }],
] as const)('in %s', (_era, mode) => {
  test('a client lists and calls, with progress, and a name that no header can hold', async () => {
    const client = await connect(mode);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('notes__add_note');
    expect(await echo(client, 'hello')).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    const seen: number[] = [];
    const long = { name: 'everything__trigger-long-running-operation', arguments: { duration: 1, steps: 2 } };
    await client.callTool(long, { onprogress: ({ progress }) => seen.push(progress) });
    expect(seen).toEqual([1, 2]);
    await expect(client.callTool({ name: 'grüße ☃', arguments: {} })).rejects.toThrow('grüße ☃');
    await client.close();
  });

  test('a request that the client cancels ends, and others go on', async () => {
    const client = await connect(mode);
    const unwanted = new AbortController();
    const long = { name: 'everything__trigger-long-running-operation', arguments: { duration: 30, steps: 3 } };
    const call = client.callTool(long, { signal: unwanted.signal });
    setTimeout(() => unwanted.abort(), 300);
    await expect(call).rejects.toThrow();
    expect(await echo(client, 'still here')).toEqual([{ type: 'text', text: 'Echo: still here' }]);
    await until('the cancelled call in the log', async () => {
      const { stdout } = await peta(running.home, ['audit', '--server', 'everything', '--json']);
      return stdout.includes('"cancelled"');
    });
    await client.close();
  });

  test('Peta may restart under an open client, which is told to look again', async () => {
    const client = await connect(mode);
    let changes = 0;
    client.setNotificationHandler('notifications/tools/list_changed', () => {
      changes += 1;
    });
    if (mode !== 'legacy') await client.listen({ toolsListChanged: true });
    await restart();
    expect(await echo(client, 'again')).toEqual([{ type: 'text', text: 'Echo: again' }]);
    await until('list_changed', async () => changes > 0);
    const before = changes;
    await peta(running.home, ['users', 'deny', 'demo', 'notes', 'add_note']);
    await until('a change after the restart', async () => changes > before);
    await peta(running.home, ['users', 'allow', 'demo', 'notes', 'add_note']);
    await client.close();
  });
});

test('a call that runs when Peta is killed is answered once Peta is back', async () => {
  const client = await connect('legacy');
  const long = { name: 'everything__trigger-long-running-operation', arguments: { duration: 60, steps: 60 } };
  let steps = 0;
  const call = client.callTool(long, {
    onprogress: () => {
      steps += 1;
    },
  });
  const outcome = call.then(
    () => 'done',
    (error: Error) => error.message,
  );
  await until('progress', async () => steps > 0);
  await running.end('SIGKILL');
  running = await startPeta({ home: running.home, args: ['--demo'], env: { BACKEND_PORT: port } });
  expect(await outcome).toContain('restarted while this call ran');
  expect(await echo(client, 'again')).toEqual([{ type: 'text', text: 'Echo: again' }]);
  await client.close();
});

const STATELESS = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const INITIALIZE = {
  id: 'first',
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'lines', version: '1' } },
};

const bridge = async (messages: unknown[], env = {}) => {
  const input = messages.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n');
  const { code, stdout, stderr } = await peta(running.home, ['connect'], { input: `${input}\n`, env });
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, stderr, answers };
};

test('what is sent before the handshake is done waits for it, and end of input ends the bridge', async () => {
  const { code, answers } = await bridge([
    { jsonrpc: '2.0', ...INITIALIZE },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'ping' },
    { jsonrpc: '2.0', id: 3, method: 'no/such' },
  ]);
  expect(code).toBe(0);
  expect(answers).toContainEqual(expect.objectContaining({ id: 'first', result: expect.anything() }));
  expect(answers).toContainEqual({ jsonrpc: '2.0', id: 2, result: {} });
  expect(answers).toContainEqual(expect.objectContaining({ id: 3, error: expect.objectContaining({ code: -32601 }) }));
});

test('a line that is no message is answered as such, and the next is carried', async () => {
  const { answers } = await bridge([
    'noise',
    'null',
    [],
    { jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: STATELESS } },
  ]);
  expect(answers.map(({ id, error }) => [id, (error as { code: number } | undefined)?.code])).toEqual([
    [null, -32700],
    [null, -32600],
    [null, -32600],
    [1, undefined],
  ]);
});

test('end of input ends the bridge although a subscription is open', async () => {
  const params = { notifications: { toolsListChanged: true }, _meta: STATELESS };
  const list = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: { _meta: STATELESS } };
  const { code } = await bridge([{ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params }, list]);
  expect(code).toBe(0);
});

test('a token that Peta does not take is an error answer with its sentence', async () => {
  const { answers, stderr } = await bridge([{ jsonrpc: '2.0', ...INITIALIZE }], { PETA_TOKEN: 'peta_wrong' });
  expect(answers).toEqual([
    { jsonrpc: '2.0', id: 'first', error: expect.objectContaining({ message: expect.stringContaining('token') }) },
  ]);
  expect(stderr).not.toContain('peta_wrong');
});
