import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@peta/api';
import { afterEach, expect, test, vi } from 'vitest';
import { cleanUp, newHome, peta, ROOT, startPeta, until } from '../../../e2e/harness/peta.ts';

// Each step is a process of its own.
vi.setConfig({ testTimeout: 90_000 });

afterEach(cleanUp);

const adminOf = (home: string) => {
  const { url, token } = JSON.parse(readFileSync(join(home, 'admin.json'), 'utf8')) as { url: string; token: string };
  return createClient(url, { token });
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const start = (
  home: string,
  args: string[] = [],
): { child: ChildProcess; stdout(): string; ended: Promise<unknown> } => {
  const child = spawn(process.execPath, [join(ROOT, 'cli/src/main.ts'), 'start', ...args], {
    env: { ...process.env, PETA_HOME: home, BACKEND_PORT: '0', LOG_LEVEL: 'warn', DATABASE_URL: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  return {
    child,
    stdout: () => stdout,
    ended: new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal))),
  };
};

test('the ready message with --json is one line, and all there is on standard output', async () => {
  const home = newHome();
  const { child, stdout, ended } = start(home, ['--json']);
  await until('the ready message', async () => stdout().includes('\n'));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(stdout().trimEnd().split('\n')).toHaveLength(1);
  expect(Object.keys(JSON.parse(stdout()))).toEqual(['url', 'mcpUrl', 'setupLink']);
  expect(existsSync(join(home, 'admin.json'))).toBe(false);
});

test('people read the address, the set-up link and the next command', async () => {
  const { child, stdout, ended } = start(newHome());
  await until('the guide', async () => stdout().includes('npm start -- --demo'));
  expect(stdout()).toMatch(/running at http:\/\/127\.0\.0\.1:\d+ /);
  expect(stdout()).toMatch(/\/setup#petasetup_[\w-]{43}\n/);
  expect(stdout()).toContain('npm run peta -- servers add');
  child.kill('SIGINT');
  expect(await ended).toBe(0);
});

test('a signal while it starts ends it with 0 and leaves no database behind', async () => {
  const home = newHome();
  const { child, ended } = start(home);
  const pidFile = join(home, 'postgres/postmaster.pid');
  await until('PostgreSQL to start', async () => existsSync(pidFile));
  const postgres = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(isAlive(postgres)).toBe(false);
});

test('the first signal lets a call finish; the second ends at once', async () => {
  const running = await startPeta({ args: ['--demo'] });
  const call = peta(running.home, ['call', 'everything', 'trigger-long-running-operation', '{"duration":4,"steps":2}']);
  await pause(2_500);
  const code = running.end('SIGTERM');
  expect((await call).stdout).toContain('completed');
  expect(await code).toBe(0);

  const again = await startPeta({ home: running.home, args: ['--demo'] });
  const cut = peta(again.home, ['call', 'everything', 'trigger-long-running-operation', '{"duration":60,"steps":2}']);
  await pause(2_500);
  void again.end('SIGTERM');
  await pause(300);
  const begun = Date.now();
  expect(await again.end('SIGTERM')).toBe(143);
  expect(Date.now() - begun).toBeLessThan(1_000);
  expect((await cut).code).toBe(1);
});

test('a port in use is told together with the setting to change', async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  const address = taken.address();
  const port = String(typeof address === 'object' && address?.port);
  const { code, stdout, stderr } = await peta(newHome(), ['start'], { env: { BACKEND_PORT: port } });
  taken.close();
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toBe(
    `peta: The port ${port} is in use. Stop what uses it, or set BACKEND_PORT to another (0 takes a free one).\n`,
  );
});

test('a setting that cannot be used is named, without a stack trace', async () => {
  const { code, stderr } = await peta(newHome(), ['start'], { env: { BACKEND_PORT: 'http' } });
  expect(code).toBe(1);
  expect(stderr).toContain('BACKEND_PORT');
  expect(stderr).not.toContain('    at ');
});

test('a demo that cannot begin ends Peta with 1 and says why', async () => {
  const home = newHome();
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'demo-files'), 'in the way');
  const { code, stdout, stderr } = await peta(home, ['start', '--demo']);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain(`The demo needs the folder ${join(home, 'demo-files')}`);
});

test('Peta that is stopped over its API ends with 0', async () => {
  const home = newHome();
  const { stdout, ended } = start(home, ['--json', '--demo']);
  await until('the ready message', async () => stdout().includes('\n'));
  await adminOf(home).proxy.stop({});
  expect(await ended).toBe(0);
});
