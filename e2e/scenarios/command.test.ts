import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUp, ROOT, type RunningPeta, peta as run, startPeta } from '../harness/peta.ts';
import { VERSION_META } from '../harness/raw.ts';

let peta: RunningPeta;
beforeAll(async () => {
  peta = await startPeta({ args: ['--demo'] });
});
afterAll(cleanUp);

describe('the peta command', () => {
  const peta_ = (...args: string[]) => run(peta.home, args);

  test('registers, calls, shows and removes', async () => {
    const list = await peta_('servers', 'list', '--json');
    expect(JSON.parse(list.stdout).map(({ serverId }: { serverId: string }) => serverId)).toEqual([
      'everything',
      'filesystem',
      'notes',
    ]);
    const called = await peta_('call', 'everything', 'echo', '{"message":"from the command"}');
    expect([called.code, called.stdout.trim()]).toEqual([0, 'Echo: from the command']);
    expect((await peta_('call', 'everything')).stdout).toContain('echo');
    expect((await peta_('call', 'everything', 'echo', '{"message":')).stderr).toContain('JSON object');
    expect((await peta_('users', 'add', 'cli')).code).toBe(0);
    expect((await peta_('users', 'allow', 'cli', 'notes')).stdout).toContain('may use notes');
    const issued = await peta_('tokens', 'issue', 'cli', '--expires', '1d');
    expect(issued.stdout.trim()).toMatch(/^peta_[\w-]{43}$/);
    const asCli = await run(peta.home, ['call', 'notes', 'list_notes'], {
      env: { PETA_URL: peta.url, PETA_TOKEN: issued.stdout.trim() },
    });
    expect(asCli.stdout).toContain('[peta]');
    expect((await peta_('users', 'list')).stdout).toContain('cli');
    expect((await peta_('audit', '--server', 'notes')).stdout).toContain('list_notes');
    expect((await peta_('users', 'remove', 'cli')).code).toBe(0);
    expect((await peta_('setup-link')).stdout).toContain(`${peta.url}/setup#petasetup_`);
  });

  test('adds a server, or says why it does not work, with its last lines', async () => {
    const script = "console.error('cannot find my config'); process.exit(7)";
    const failed = await peta_('servers', 'add', 'broken', '--', process.execPath, '-e', script);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('ended with code 7');
    expect(failed.stderr).toContain('cannot find my config');
    expect((await peta_('servers', 'logs', 'broken')).stdout).toContain('cannot find my config');
    expect((await peta_('servers', 'remove', 'broken')).stdout).toContain('removed');
    const notes = JSON.parse((await peta_('doctor', '--json')).stdout) as { findings: { what: string }[] };
    expect(notes.findings.some(({ what }) => what.includes('notes is online'))).toBe(true);
  });

  test('says what is wrong when it is not understood, or nothing runs', async () => {
    expect((await peta_('nonsense')).code).toBe(2);
    expect((await peta_('servers', 'add')).code).toBe(2);
    const nowhere = await run(`${peta.home}-nowhere`, ['servers', 'list']);
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('No Peta runs on')]);
    const unreachable = await run(peta.home, ['servers', 'list'], { env: { PETA_URL: 'http://127.0.0.1:1' } });
    expect(unreachable.stderr).toContain('does not answer at http://127.0.0.1:1');
    const doctor = await run(peta.home, ['doctor'], { env: { PETA_URL: 'http://127.0.0.1:1' } });
    expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringContaining('✗ Peta does not answer')]);
  });
});

describe('peta connect', () => {
  /** A stdio client at the end of the bridge. */
  const bridge = (token: string) => {
    const child = spawn(process.execPath, [join(ROOT, 'cli/src/main.ts'), 'connect'], {
      env: { ...process.env, PETA_URL: peta.url, PETA_TOKEN: token },
      stdio: 'pipe',
    });
    const messages: { id?: unknown; method?: string; result?: unknown; error?: { message: string } }[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => messages.push(JSON.parse(line)));
    const send = (message: unknown) =>
      child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
    const answer = async (id: unknown) => {
      for (
        const deadline = Date.now() + 10_000;
        Date.now() < deadline;
        await new Promise((done) => setTimeout(done, 20))
      ) {
        const found = messages.find((message) => message.id === id && message.method === undefined);
        if (found) return found;
      }
      throw new Error(`no answer to ${String(id)}; got ${JSON.stringify(messages)}`);
    };
    const end = () =>
      new Promise<number | null>((done) => {
        child.once('exit', done);
        child.stdin.end();
      });
    return { send, answer, end, messages };
  };
  const initialize = (id: number) => ({
    jsonrpc: '2.0',
    id,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'stdio', version: '1' } },
  });

  test('carries an old client: handshake, list, call, progress', async () => {
    const { send, answer, end, messages } = bridge(peta.token ?? '');
    send(initialize(1));
    expect(await answer(1)).toMatchObject({ result: { protocolVersion: '2025-11-25', serverInfo: { name: 'peta' } } });
    send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    send({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    expect(JSON.stringify(await answer(2))).toContain('everything__echo');
    const params = {
      name: 'everything__trigger-long-running-operation',
      arguments: { duration: 0.4, steps: 2 },
      _meta: { progressToken: 'p' },
    };
    send({ jsonrpc: '2.0', id: 'three', method: 'tools/call', params });
    expect(JSON.stringify(await answer('three'))).toContain('completed');
    expect(messages.filter(({ method }) => method === 'notifications/progress')).toHaveLength(2);
    expect(await end()).toBe(0);
  });

  test('carries a new client, which needs no handshake', async () => {
    const { send, answer, end } = bridge(peta.token ?? '');
    send({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: VERSION_META } });
    expect(await answer(1)).toMatchObject({ result: { supportedVersions: ['2026-07-28'] } });
    const params = { name: 'everything__echo', arguments: { message: 'through the bridge' }, _meta: VERSION_META };
    send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params });
    expect(JSON.stringify(await answer(2))).toContain('through the bridge');
    expect(await end()).toBe(0);
  });

  test('answers what goes wrong as JSON-RPC errors', async () => {
    const wrong = bridge('peta_wrong');
    wrong.send('{nonsense');
    expect(await wrong.answer(null)).toMatchObject({ error: { code: -32700 } });
    wrong.send(initialize(1));
    expect((await wrong.answer(1)).error?.message).toContain('token');
    expect(await wrong.end()).toBe(0);
  });
});
