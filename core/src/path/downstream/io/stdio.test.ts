import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { LaunchConfig } from '@peta/api';
import { afterEach, expect, test } from 'vitest';
import { readJson } from '#lib/json';
import type { Connection } from '../connection.ts';
import { RpcError, ServerUnavailable } from '../errors.ts';
import { createEraMemory } from '../handshake.ts';
import { openConnection } from './open.ts';
import type { Child } from './stdio.ts';

const SERVERS = join(import.meta.dirname, '../../../../../e2e/servers');
const open: Connection[] = [];
afterEach(() => Promise.all(open.splice(0).map((connection) => connection.close())));

let starts = 0;
/** The least that a process must do to be spoken to. */
const start = async ({ command, args }: { command: string; args: string[] }): Promise<Child> => {
  starts += 1;
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = new Promise<string>((done) => child.once('exit', (code) => done(`It ended with ${code}.`)));
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    pid: child.pid,
    exited,
    noise: () => {},
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};
const config = (name: string) =>
  LaunchConfig.parse({ type: 'stdio', command: process.execPath, args: [join(SERVERS, `${name}.ts`), '--stdio'] });
const product = { name: 'peta', version: '0' };
const reach = async (name: string): Promise<Connection> => {
  const connection = await openConnection(config(name), { spawn: start, startTimeoutMs: 5_000, product });
  open.push(connection);
  return connection;
};
const callTool = (connection: Connection, name: string) =>
  connection.request('tools/call', { name }, { timeoutMs: 5_000 });

test.each(['null-error', 'wordless-error', 'boundless-code', 'number-result', 'no-result'])(
  'an answer that is none (%s) fails its call and nothing else',
  async (trick) => {
    const connection = await reach('hostile');
    await expect(callTool(connection, trick)).rejects.toThrow(
      new ServerUnavailable('The server answered with something that is no MCP message.'),
    );
    expect(JSON.stringify(await callTool(connection, 'storm'))).toContain('weathered');
  },
);

test('a line that two parsers could read differently is no answer', async () => {
  const connection = await reach('exact');
  expect(JSON.stringify(await callTool(connection, 'twice'))).toContain('unambiguous');
});

test('numbers of a server keep their digits', async () => {
  const connection = await reach('exact');
  const told: unknown[] = [];
  const params = JSON.parse('{"name":"digits","_meta":{"progressToken":"mine"}}');
  const sent = { ...params, arguments: { n: readJson('12345678901234567890') } };
  const onNotification = (...one: unknown[]) => void told.push(one);
  const result = JSON.stringify(await connection.request('tools/call', sent, { timeoutMs: 5_000, onNotification }));
  expect(result).toContain('{"n":12345678901234567890,"deep":[{"n":12345678901234567890}]}');
  expect(result).toContain('\\"arguments\\":{\\"n\\":12345678901234567890}');
  expect(JSON.stringify(told)).toContain('"progressToken":"mine","progress":0.50,"total":1.0');
});

test('progress that nobody asked for reaches nobody', async () => {
  const connection = await reach('hostile');
  const seen: unknown[] = [];
  await connection.request(
    'tools/call',
    { name: 'progress-unasked' },
    { timeoutMs: 5_000, onNotification: (...told) => seen.push(told) },
  );
  expect(seen).toEqual([]);
});

test('what a server answers before it ends is not lost', async () => {
  const connection = await reach('hostile');
  expect(JSON.stringify(await callTool(connection, 'last-words'))).toContain('yyyy');
  await expect(callTool(connection, 'storm')).rejects.toThrow(ServerUnavailable);
});

test('a line that does not end closes the connection with the reason', async () => {
  const connection = await reach('hostile');
  await expect(callTool(connection, 'long-line')).rejects.toThrow('The server wrote a line of more than 16 MiB.');
});

test('an error of the server keeps its code, message and data', async () => {
  const connection = await reach('fast');
  const error = await connection.request('nonsense', {}, { timeoutMs: 5_000 }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RpcError);
  expect(error).toMatchObject({ code: -32601, message: expect.stringContaining('Method not found') });
});

test('an old server is asked for its era once, not at every start', async () => {
  const eras = createEraMemory();
  const again = async () => {
    starts = 0;
    const options = { spawn: start, startTimeoutMs: 5_000, product, eras };
    open.push(await openConnection(config('touchy'), options));
    return starts;
  };
  expect([await again(), await again()]).toEqual([2, 1]);
});

test('a server that never answers is said to do so', async () => {
  await expect(openConnection(config('silent'), { spawn: start, startTimeoutMs: 300, product })).rejects.toThrow(
    'The server did not answer when it was asked to initialise.',
  );
});

test('a start that is aborted ends at once and leaves no process', async () => {
  const abort = new AbortController();
  let pid: number | undefined;
  const spawnIt = async (wanted: { command: string; args: string[] }) => {
    const child = await start(wanted);
    pid = child.pid;
    setTimeout(() => abort.abort(), 100);
    return child;
  };
  const since = Date.now();
  const opening = openConnection(config('silent'), {
    spawn: spawnIt,
    startTimeoutMs: 30_000,
    product,
    signal: abort.signal,
  });
  await expect(opening).rejects.toThrow('The server was stopped.');
  expect(Date.now() - since).toBeLessThan(3_000);
  expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
});
