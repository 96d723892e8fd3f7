import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LaunchConfig } from '@peta/api';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ClearedCall, JsonObject, Listing, Outcome } from '#call';
import { silentLog } from '#lib/log';
import type { Connection } from '../path/downstream/connection.ts';
import { ServerUnavailable } from '../path/downstream/errors.ts';
import { openConnection } from '../path/downstream/io/open.ts';
import { collectListing } from '../path/downstream/listing.ts';
import { testDownstream } from '../path/downstream/test-downstream.ts';
import { startProcess } from './io/process.ts';
import { createReaper } from './io/reaper.ts';
import { createRuntime, type Runtime } from './runtime.ts';

const ROOT = join(import.meta.dirname, '../../..');
const fixture = (name: string, ...args: string[]) =>
  LaunchConfig.parse({
    type: 'stdio',
    command: process.execPath,
    args: [join(ROOT, `e2e/servers/${name}.ts`), ...args],
  });
const everything = (...args: string[]) => [
  join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js'),
  ...args,
];

const configs: Record<string, LaunchConfig> = {
  fast: fixture('fast', '--stdio'),
  noisy: fixture('noisy'),
  silent: fixture('silent'),
  'no-answer': fixture('no-answer'),
  garbage: fixture('garbage'),
  touchy: fixture('touchy'),
  grandchild: fixture('grandchild'),
  changing: fixture('changing'),
  missing: LaunchConfig.parse({ type: 'stdio', command: 'no-such-command-here' }),
  everything: LaunchConfig.parse({ type: 'stdio', command: process.execPath, args: everything() }),
};

let runtime: Runtime<Connection>;
let listings: Map<string, Listing>;
let reaper: ReturnType<typeof createReaper>;
const cleanUps: (() => unknown)[] = [];

beforeEach(() => {
  listings = new Map();
  reaper = createReaper();
  runtime = createRuntime<Connection>({
    maxInstances: 2,
    instanceWaitMs: 5_000,
    open: ({ serverId }, ring, signal) => {
      const config = configs[serverId];
      if (!config) throw new Error(`no such server: ${serverId}`);
      const spawn = (wanted: Extract<LaunchConfig, { type: 'stdio' }>) =>
        startProcess(wanted, { ring, reaper, inherit: [] });
      const product = { name: 'peta', version: '0' };
      return openConnection(config, { spawn, startTimeoutMs: 4_000, product, signal });
    },
    collect: (connection) => collectListing(connection, 3_000),
    onListing: async ({ serverId }, listing) => void listings.set(serverId, listing),
    unavailable: (reason) => new ServerUnavailable(reason),
    startTimeoutMs: 5_000,
    log: silentLog,
  });
});
afterEach(async () => {
  await runtime.stopAll();
  reaper.close();
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

const key = (serverId: string) => ({ workspaceId: 'w', serverId });

type CallOptions = {
  params?: JsonObject;
  signal?: AbortSignal;
  notify?: ClearedCall['notify'];
  callTimeoutMs?: number;
};
/** A call as policy would clear it: what it carries besides these is not read here. */
const call = (
  serverId: string,
  name: string,
  { params, signal, notify, callTimeoutMs = 5_000 }: CallOptions = {},
): Promise<Outcome> =>
  testDownstream(runtime.use, { callTimeoutMs }).send({
    method: 'tools/call',
    params: { name: 'as exposed', ...params },
    capability: { kind: 'tool', serverId, name },
    caller: { workspaceId: 'w' },
    client: { name: 'c', version: '1', capabilities: {} },
    signal: signal ?? new AbortController().signal,
    notify: notify ?? (() => {}),
  } as unknown as ClearedCall);
const textOf = (outcome: Outcome) =>
  outcome.kind === 'done' ? JSON.stringify(outcome.result) : JSON.stringify(outcome);

const serveHttp = async (args: string[], env: Record<string, string> = {}): Promise<{ line: string; stop(): void }> => {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  cleanUps.push(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const errors = createInterface({ input: child.stderr });
  const line = await new Promise<string>((done) => {
    lines.on('line', (text) => /^http|listening/i.test(text) && done(text));
    errors.on('line', (text) => /listening|running/i.test(text) && done(text));
  });
  return { line, stop: () => child.kill('SIGKILL') };
};

test('a server starts on its first call, is listed, and is called', async () => {
  expect(runtime.status(key('everything')).status).toBe(4);
  expect(textOf(await call('everything', 'echo', { params: { arguments: { message: 'hi' } } }))).toContain('Echo: hi');
  expect(runtime.status(key('everything'))).toEqual({ status: 0, reason: null });
  await runtime.listed(key('everything'));
  const listing = listings.get('everything');
  expect(listing?.tools.map(({ name }) => name)).toContain('echo');
  expect(listing?.prompts.length).toBeGreaterThan(0);
  expect(listing?.resources.length).toBeGreaterThan(0);
  expect(listing?.templates.length).toBeGreaterThan(0);
});

test('a file is read through the reference server within its folder, and not outside it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'peta-files-'));
  cleanUps.push(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'inside.txt'), 'within reach');
  const files = join(ROOT, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js');
  configs.files = LaunchConfig.parse({ type: 'stdio', command: process.execPath, args: [files, folder] });
  const read = (path: string) => call('files', 'read_text_file', { params: { arguments: { path } } });
  expect(textOf(await read(join(folder, 'inside.txt')))).toContain('within reach');
  const outside = await read('/etc/passwd');
  expect(outside).toMatchObject({ kind: 'done', isToolError: true });
  expect(textOf(outside)).not.toContain('root:');
});

test('an argument of a prompt is completed by its server', async () => {
  const result = await runtime.use(key('fast'), ({ request }) =>
    request(
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'name', value: 'A' } },
      { timeoutMs: 2_000 },
    ),
  );
  expect(result).toMatchObject({ completion: { values: ['Ada', 'Alan'] } });
});

test('callers that come at once share one start', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, i) => call('fast', 'echo', { params: { arguments: { text: `n${i}` } } })),
  );
  outcomes.forEach((outcome, i) => {
    expect(textOf(outcome)).toContain(`"n${i}"`);
  });
});

test.each([
  ['Streamable HTTP of 2026-07-28', 'modern', 'http'],
  ['Streamable HTTP of 2025-11-25', 'legacy', 'http'],
])('a server is reached over %s', async (_what, mcpProtocol, type) => {
  const { line } = await serveHttp([join(ROOT, 'e2e/servers/fast.ts')]);
  configs.remote = LaunchConfig.parse({ type, url: line, mcpProtocol });
  const seen: unknown[] = [];
  const outcome = await call('remote', 'slow', {
    params: { arguments: { ms: 100, steps: 3 }, _meta: { progressToken: 'mine', traceparent: 't' } },
    notify: (_method, params) => seen.push([params.progressToken, params.progress]),
  });
  expect(textOf(outcome)).toContain('done');
  expect(seen).toEqual([
    ['mine', 1],
    ['mine', 2],
    ['mine', 3],
  ]);
});

test.each([
  ['streamableHttp', 'http', 'mcp'],
  ['sse', 'sse', 'sse'],
])('the reference server is reached over %s, and reached again after it was started anew', async (mode, type, path) => {
  const port = String(20_000 + Math.floor(Math.random() * 20_000));
  const first = await serveHttp(everything(mode), { PORT: port });
  configs.remote = LaunchConfig.parse({ type, url: `http://127.0.0.1:${port}/${path}` });
  expect(textOf(await call('remote', 'echo', { params: { arguments: { message: 'one' } } }))).toContain('one');
  first.stop();
  await vi.waitFor(
    async () => expect((await call('remote', 'echo', { callTimeoutMs: 500 })).kind).toBe('failed'),
    5_000,
  );
  await serveHttp(everything(mode), { PORT: port });
  await vi.waitFor(
    async () =>
      expect(textOf(await call('remote', 'echo', { params: { arguments: { message: 'two' } } }))).toContain('two'),
    { timeout: 8_000, interval: 200 },
  );
});

test('noise on standard output is put aside for administrators', async () => {
  expect(textOf(await call('noisy', 'speak'))).toContain('through the noise');
  expect(
    runtime
      .logs(key('noisy'), 100)
      .filter(({ source }) => source === 'stdout')
      .map(({ text }) => text),
  ).toContain('starting up...');
});

test('an old server that ends when asked for its era is started again without asking', async () => {
  expect(textOf(await call('touchy', 'speak'))).toContain('still here');
});

test.each([
  ['missing', 'The command \\"no-such-command-here\\" could not be started (ENOENT). Check that it exists'],
  ['silent', 'is not available'],
  ['garbage', 'is not available'],
])('the server %s fails with a reason and keeps nobody else waiting', async (name, reason) => {
  const [broken, fine] = await Promise.all([
    call(name, 'x'),
    call('fast', 'echo', { params: { arguments: { text: 'fine' } } }),
  ]);
  expect(textOf(broken)).toContain(reason);
  expect(textOf(fine)).toContain('fine');
  expect(runtime.status(key(name)).status).toBeGreaterThanOrEqual(2);
});

test('a server that dies in the middle of a call fails that call, and serves the next', async () => {
  expect(textOf(await call('fast', 'die'))).toContain('The server ended with code 3.');
  expect(textOf(await call('fast', 'echo', { params: { arguments: { text: 'again' } } }))).toContain('again');
});

test('a call that is never answered times out and is cancelled', async () => {
  expect(textOf(await call('no-answer', 'wait', { callTimeoutMs: 200 }))).toContain('did not answer within 0.2 s');
});

test('progress keeps a long call alive', async () => {
  const params = { arguments: { ms: 900, steps: 6 }, _meta: { progressToken: 1 } };
  expect(textOf(await call('fast', 'slow', { params, callTimeoutMs: 400 }))).toContain('done');
  const { _meta, ...quiet } = params;
  expect(textOf(await call('fast', 'slow', { params: quiet, callTimeoutMs: 400 }))).toContain('did not answer');
});

test('a cancelled call ends at once and the server goes on', async () => {
  await call('fast', 'echo', { params: { arguments: { text: 'warm' } } });
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  const since = Date.now();
  expect(await call('fast', 'slow', { params: { arguments: { ms: 5_000 } }, signal: abort.signal })).toEqual({
    kind: 'cancelled',
  });
  expect(Date.now() - since).toBeLessThan(1_000);
});

test("a server's own error passes through as it came", async () => {
  expect(await call('changing', 'grow')).toMatchObject({ kind: 'done' });
  const outcome = await testDownstream(runtime.use).send({
    method: 'prompts/get',
    params: {},
    capability: { kind: 'prompt', serverId: 'changing', name: 'x' },
    caller: { workspaceId: 'w' },
    client: { name: 'c', version: '1', capabilities: {} },
    signal: new AbortController().signal,
    notify: () => {},
  } as unknown as ClearedCall);
  expect(outcome).toEqual({ kind: 'failed', error: { code: -32601, message: 'Method not found', data: undefined } });
});

test('a list that changes is collected again', async () => {
  await call('changing', 'grow');
  await vi.waitFor(
    () => expect(listings.get('changing')?.tools.map(({ name }) => name)).toEqual(['grow', 'grown-1']),
    3_000,
  );
});

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('stopping a server ends what it started, however stubborn', async () => {
  const outcome = await call('grandchild', 'pid');
  const pid = Number(/"text":"(\d+)"/.exec(textOf(outcome))?.[1]);
  expect(isAlive(pid)).toBe(true);
  await runtime.stop(key('grandchild'));
  expect(isAlive(pid)).toBe(false);
  expect(textOf(await call('grandchild', 'pid'))).toContain('The server is stopped');
});
