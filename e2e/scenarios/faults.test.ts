import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { type Client, createClient } from '@peta/api';
import { generate } from 'selfsigned';
import { afterAll, describe, expect, test } from 'vitest';
import { connectLegacy, connectModern, textOf } from '../harness/clients.ts';
import { fixture } from '../harness/fixtures.ts';
import {
  becomeOwner,
  cleanUp,
  newHome,
  ROOT,
  type RunningPeta,
  peta as runPeta,
  startPeta,
  until,
} from '../harness/peta.ts';
import { callTool } from '../harness/raw.ts';

afterAll(cleanUp);

const machineClient = (home: string): Client => {
  const { url, token } = JSON.parse(readFileSync(join(home, 'admin.json'), 'utf8')) as { url: string; token: string };
  return createClient(url, { token });
};

/** Registers the fast server and waits until it can be called. */
const withFast = async (api: Client) => {
  await api.servers.create({ serverId: 'fast', launchConfig: fixture('fast', '--stdio') });
  await until(
    'the server is listed',
    async () => Object.keys((await api.capabilities.ofServer({ serverId: 'fast' })).capabilities.tools).length > 0,
  );
};

/** Process ids whose command line or environment mentions the text, this process apart. */
const processesWith = (text: string): string[] => {
  try {
    return execFileSync('pgrep', ['-f', text], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .filter((pid) => Number(pid) !== process.pid);
  } catch {
    return [];
  }
};

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a Peta that is killed', () => {
  test('with 200 calls in flight loses no record of an answered one, and leaves no server process', async () => {
    const home = newHome();
    const first = await startPeta({ home });
    const { api, token } = await becomeOwner(first);
    await withFast(api);
    await api.servers.create({ serverId: 'grandchild', launchConfig: fixture('grandchild') });
    const grandchild = Number(
      await until('the grandchild is there', async () => {
        const { json } = await callTool(first.mcpUrl, token, 'grandchild__pid', {});
        return /"text":"(\d+)"/.exec(JSON.stringify(json))?.[1];
      }),
    );
    const answered: string[] = [];
    let sent = 0;
    const work = async () => {
      for (;;) {
        sent += 1;
        const id = `call-${sent}`;
        const answer = await callTool(first.mcpUrl, token, 'fast__slow', { ms: 20 + (sent % 50) }, id).catch(
          () => undefined,
        );
        if (!answer) return;
        answered.push(id);
      }
    };
    const workers = Array.from({ length: 200 }, work);
    await until('calls are being answered', async () => answered.length > 300);
    await first.end('SIGKILL');
    await Promise.all(workers);
    await until(
      'no server process is left',
      async () => !isAlive(grandchild) && processesWith(`${ROOT}/e2e/servers/`).length === 0,
      6_000,
    );

    const second = await startPeta({ home });
    const client = machineClient(home);
    const recorded = new Map<string, string>();
    let cursor: string | undefined;
    do {
      const page = await client.audit.list({ limit: 1000, serverId: 'fast', ...(cursor && { cursor }) });
      for (const { requestId, outcome } of page.records) recorded.set(JSON.parse(requestId ?? 'null'), outcome);
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(answered.filter((id) => recorded.get(id) !== 'done')).toEqual([]);
    expect(answered.length).toBeGreaterThan(300);
    expect((await callTool(second.mcpUrl, token, 'fast__echo', { text: 'back' })).text).toContain('back');
    await second.end('SIGTERM');
  });
});

describe('starting and stopping', () => {
  test('SIGTERM lets a call finish, ends with 0 and leaves nothing running', async () => {
    const home = newHome();
    const running = await startPeta({ home });
    const { api, token } = await becomeOwner(running);
    await withFast(api);
    const call = callTool(running.mcpUrl, token, 'fast__slow', { ms: 1_500 });
    await new Promise((done) => setTimeout(done, 300));
    const since = Date.now();
    expect(await running.end('SIGTERM')).toBe(0);
    expect(Date.now() - since).toBeLessThan(10_000);
    expect((await call).text).toContain('done');
    expect(processesWith(home)).toEqual([]);
  });

  test('a call that does not finish holds nothing up for more than ten seconds, and a second signal ends at once', async () => {
    const running = await startPeta();
    const { api, token } = await becomeOwner(running);
    await withFast(api);
    const call = callTool(running.mcpUrl, token, 'fast__slow', { ms: 60_000 }).catch(() => undefined);
    await new Promise((done) => setTimeout(done, 300));
    const since = Date.now();
    void running.end('SIGTERM');
    await new Promise((done) => setTimeout(done, 500));
    expect(await running.end('SIGTERM')).toBe(143);
    expect(Date.now() - since).toBeLessThan(2_000);
    await call;
  });

  test('a second Peta on one folder refuses with a clear sentence', async () => {
    const running = await startPeta();
    const second = await runPeta(running.home, ['start', '--json']);
    expect([second.code, second.stdout]).toEqual([1, '']);
    expect(second.stderr.trim()).toBe(
      `peta: Another Peta (process ${running.pid}) is already running on ${running.home}. Stop it first, or set PETA_HOME to another folder.`,
    );
  });

  test.each([
    [{ PETA_HOST: '0.0.0.0' }, 'PETA_ALLOW_INSECURE_BIND=true'],
    [{ BACKEND_PORT: 'x' }, 'BACKEND_PORT'],
    [{ DATABASE_URL: 'postgresql://peta:hunter2@127.0.0.1:1/x' }, '127.0.0.1:1/x cannot be used'],
    [{ ENABLE_HTTPS: 'true' }, 'SSL_CERT_PATH'],
    [{ JWT_SECRET: 'short' }, 'JWT_SECRET'],
  ])('%j is refused in words', async (env, words) => {
    const { code, stdout, stderr } = await runPeta(newHome(), ['start', '--json'], { env });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/hunter2|at .*\.ts:\d/);
  });

  test('with a certificate it serves TLS', async () => {
    const home = newHome();
    const [key, cert] = [join(home, 'key.pem'), join(home, 'cert.pem')];
    const made = await generate([{ name: 'commonName', value: 'localhost' }]);
    writeFileSync(key, made.private, { mode: 0o600 });
    writeFileSync(cert, made.cert);
    const running = await startPeta({ home, env: { ENABLE_HTTPS: 'true', SSL_CERT_PATH: cert, SSL_KEY_PATH: key } });
    expect(running.mcpUrl).toMatch(/^https:/);
    const status = await new Promise((done, fail) => {
      get(`${running.url}/health`, { ca: readFileSync(cert), servername: 'localhost' }, (response) =>
        done(response.resume().statusCode),
      ).on('error', fail);
    });
    expect(status).toBe(200);
  });

  test('a port in use is refused, naming the setting', async () => {
    const running = await startPeta();
    const port = new URL(running.url).port;
    const { code, stderr } = await runPeta(newHome(), ['start'], { env: { BACKEND_PORT: port } });
    expect(code).toBe(1);
    expect(stderr).toContain(`The port ${port} is in use`);
    expect(stderr).toContain('BACKEND_PORT');
  });

  test('nothing that is kept can be read by others, and no secret is in a process list', async () => {
    const running = await startPeta({ args: ['--demo'] });
    const modes = execFileSync(
      'find',
      [running.home, '-path', '*/postgres/*', '-prune', '-o', '-type', 'f', '-perm', '/077', '-print'],
      { encoding: 'utf8' },
    );
    expect(modes.split('\n').filter((file) => file && !file.includes('demo-files'))).toEqual([]);
    const password = readFileSync(join(running.home, 'postgres.password'), 'utf8').trim();
    const machine = JSON.parse(readFileSync(join(running.home, 'admin.json'), 'utf8')) as { token: string };
    const processes = execFileSync('ps', ['axeww'], { encoding: 'utf8' });
    for (const secret of [password, machine.token, running.token ?? ''])
      expect(processes.split('\n').filter((line) => line.includes(secret))).toEqual([]);
  });
});

test('a database that goes away and comes back: known callers go on, others are told, nothing is lost', async () => {
  const running = await startPeta();
  const { api, token } = await becomeOwner(running);
  await withFast(api);
  const echo = (id: string, bearer = token) => callTool(running.mcpUrl, bearer, 'fast__echo', { text: 'hi' }, id);
  expect((await echo('before')).text).toContain('hi');
  const other = (await api.tokens.issue({ userId: 'owner' })).secret;
  const postmaster = Number(readFileSync(join(running.home, 'postgres/postmaster.pid'), 'utf8').split('\n')[0]);
  for (const signal of ['SIGSTOP'] as const) execFileSync('pkill', [`-${signal}`, '-P', String(postmaster)]);
  process.kill(postmaster, 'SIGSTOP');
  expect((await echo('while away')).text).toContain('hi');
  const stranger = await echo('stranger', other);
  expect(stranger.status).toBe(503);
  expect(stranger.text).toContain('cannot reach its database');
  const health = await fetch(`${running.url}/health`);
  expect([health.status, ((await health.json()) as { status: string }).status]).toEqual([503, 'degraded']);
  process.kill(postmaster, 'SIGCONT');
  execFileSync('pkill', ['-SIGCONT', '-P', String(postmaster)]);
  await until('the database is used again', async () => (await echo('after', other)).status === 200, 20_000);
  await until(
    'the log has caught up',
    async () => {
      const { records } = await api.audit.list({ serverId: 'fast', limit: 100 });
      const ids = records.map(({ requestId }) => requestId);
      return ['"before"', '"while away"', '"after"'].every((id) => ids.includes(id));
    },
    20_000,
  );
});

describe('many clients at once', () => {
  test('50 clients with equal request ids never get each other’s answers or progress', async () => {
    const running = await startPeta();
    const { api, token } = await becomeOwner(running);
    await withFast(api);
    const use = async (index: number) => {
      const connect = index % 2 ? connectLegacy : connectModern;
      const client = await connect(running.mcpUrl, token, `client-${index}`);
      for (let round = 0; round < 10; round += 1) {
        const marker = `marker-${index}-${round}`;
        const total = 1 + ((index + round) % 4);
        const steps: number[] = [];
        const [echo] = await Promise.all([
          client.callTool({ name: 'fast__echo', arguments: { text: marker } }),
          client.callTool(
            { name: 'fast__slow', arguments: { ms: 20, steps: total } },
            { onprogress: ({ progress }) => steps.push(progress) },
          ),
        ]);
        expect(textOf(echo)).toBe(marker);
        expect(steps).toEqual(Array.from({ length: total }, (_, i) => i + 1));
      }
      await client.close();
    };
    await Promise.all(Array.from({ length: 50 }, (_, index) => use(index)));
  });

  test('ids come back as they were, and one that is in use in its session is refused', async () => {
    const running: RunningPeta = await startPeta();
    const { api, token } = await becomeOwner(running);
    await withFast(api);
    for (const id of [0, -1, 7, '7', '', 'ünï'])
      expect((await callTool(running.mcpUrl, token, 'fast__echo', { text: 'x' }, id)).json).toMatchObject({ id });
  });
});
