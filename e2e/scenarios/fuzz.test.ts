import { join } from 'node:path';
import type { Client } from '@peta/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callsTo, startFuzzingServer } from '../fuzz/from-server.ts';
import { towardsStreams } from '../fuzz/http-sse.ts';
import { aftermath, MESSAGES, report, SEED, storm } from '../fuzz/run.ts';
import { towardsPeta } from '../fuzz/streamable-http.ts';
import { becomeOwner, cleanUp, ROOT, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, initialize } from '../harness/raw.ts';

const LINES = 200;
const TIMEOUT_MS = 60_000 + MESSAGES * 20;

let peta: RunningPeta;
let api: Client;
let token: string;
const server = (name: string, ...args: string[]) => ({
  type: 'stdio' as const,
  command: process.execPath,
  args: [join(ROOT, `e2e/servers/${name}.ts`), ...args],
});
const add = async (serverId: string, launchConfig: Parameters<Client['servers']['create']>[0]['launchConfig']) => {
  await api.servers.create({ serverId, launchConfig });
  await until(
    `${serverId} is listed`,
    async () => Object.keys((await api.capabilities.ofServer({ serverId })).capabilities.tools).length > 0,
  );
};

const target = (serverId: string) => ({
  mcpUrl: peta.mcpUrl,
  token,
  tool: `${serverId}__storm`,
  revive: () => api.servers.start({ serverId }),
});

beforeAll(async () => {
  peta = await startPeta({ env: { PETA_CALL_TIMEOUT_SECONDS: '1', PETA_SESSION_IDLE_SECONDS: '20' } });
  ({ api, token } = await becomeOwner(peta));
  await add('fast', server('fast', '--stdio'));
});
afterAll(cleanUp);

test(
  'mutated requests over Streamable HTTP: no crash, no hang, no growth, always a well-formed answer',
  async () => {
    const sessions = await Promise.all(Array.from({ length: 8 }, () => initialize(peta.mcpUrl, token)));
    const result = await storm(peta, towardsPeta(peta.mcpUrl, token, sessions), 32);
    report('Streamable HTTP towards Peta', result);
    expect(await aftermath(peta, token, result)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  'mutated messages to the streams of HTTP+SSE: the same',
  async () => {
    const result = await storm(peta, towardsStreams(peta.url, token, 16), 16);
    report('HTTP+SSE towards Peta', result);
    expect(await aftermath(peta, token, result)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  'mutated lines of a server over stdio: the same',
  async () => {
    await add('lines', server('fuzzing', String(SEED)));
    const count = () => LINES;
    const send = callsTo({ ...target('lines'), args: { lines: LINES }, count });
    const result = await storm(peta, send, 4);
    report('stdio from a server', result);
    expect(await aftermath(peta, token, result)).toEqual([]);
    expect((await callTool(peta.mcpUrl, token, 'lines__storm', { lines: 0, index: 0 })).text).toContain('weathered');
  },
  TIMEOUT_MS,
);

test(
  'mutated answers of a server over HTTP, as JSON and as streams: the same',
  async () => {
    const fuzzing = await startFuzzingServer();
    await add('answers', { type: 'http', url: fuzzing.url, headers: {}, mcpProtocol: 'legacy' });
    const result = await storm(peta, callsTo({ ...target('answers'), args: {}, count: fuzzing.count }), 32);
    report('HTTP from a server', result);
    fuzzing.close();
    expect(await aftermath(peta, token, result)).toEqual([]);
  },
  TIMEOUT_MS,
);
