import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { cleanUp, newHome, peta, startPeta } from '../../../e2e/harness/peta.ts';
import type { Finding } from './finding.ts';
import { checkNode } from './local.ts';

// Each step is a process of its own.
vi.setConfig({ testTimeout: 90_000 });

afterAll(cleanUp);

const examine = async (home: string, env: Record<string, string> = {}) => {
  const { code, stdout } = await peta(home, ['doctor', '--json'], { env });
  return { code, ...(JSON.parse(stdout) as { healthy: boolean; findings: Finding[] }) };
};
const about = (findings: Finding[], text: string): Finding | undefined =>
  findings.find(({ what }) => what.includes(text));

test('an old Node.js is wrong, with what to do', () => {
  expect(checkNode('24.1.0').state).toBe('ok');
  expect(checkNode('22.9.0')).toMatchObject({ state: 'wrong', todo: expect.stringContaining('npm ci') });
});

test('before the first start there is nothing wrong', async () => {
  const home = join(newHome(), 'not-yet');
  const { code, healthy, findings } = await examine(home);
  expect({ code, healthy }).toEqual({ code: 0, healthy: true });
  expect(about(findings, 'does not exist yet')?.state).toBe('ok');
  expect(about(findings, 'No Peta runs')).toMatchObject({ state: 'warning', todo: 'Start it with "npm start".' });
});

test('a key file that others can read is wrong', async () => {
  const home = newHome();
  writeFileSync(join(home, 'master.key'), 'x');
  chmodSync(join(home, 'master.key'), 0o644);
  const { code, findings } = await examine(home);
  expect(code).toBe(1);
  expect(about(findings, 'master.key')?.todo).toBe(`chmod 600 ${join(home, 'master.key')}`);
});

test('a port in use is wrong, and who uses it is said', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = String(typeof address === 'object' && address?.port);
  const taken = await examine(newHome(), { BACKEND_PORT: port });
  server.close();
  expect(taken.code).toBe(1);
  expect(about(taken.findings, `The port ${port}`)?.what).toContain('another program');

  const free = await examine(newHome(), { BACKEND_PORT: port });
  expect(about(free.findings, `The port ${port}`)?.state).toBe('ok');
});

test('a database that cannot be reached is wrong, and its password is not shown', async () => {
  const { code, findings } = await examine(newHome(), { DATABASE_URL: 'postgres://peta:pass-word@127.0.0.1:2/peta' });
  expect(code).toBe(1);
  expect(about(findings, '127.0.0.1:2')).toMatchObject({
    state: 'wrong',
    what: expect.stringContaining('ECONNREFUSED'),
  });
  expect(JSON.stringify(findings)).not.toContain('pass-word');
});

test('an address open to others without TLS is wrong unless it is meant', async () => {
  const open = await examine(newHome(), { PETA_HOST: '0.0.0.0' });
  expect(about(open.findings, 'without TLS')?.state).toBe('wrong');
  const meant = await examine(newHome(), { PETA_HOST: '0.0.0.0', PETA_ALLOW_INSECURE_BIND: 'true' });
  expect(about(meant.findings, 'without TLS')?.state).toBe('warning');
});

test('a running Peta is examined, one that was killed is missed, and one of another folder is recognised', async () => {
  const running = await startPeta();
  const well = await examine(running.home);
  expect(well).toMatchObject({ code: 0, healthy: true });
  expect(about(well.findings, 'The database answers')?.state).toBe('ok');
  expect(about(well.findings, 'no owner yet')?.todo).toContain('setup-link');
  expect(about(well.findings, 'No MCP server')?.todo).toContain('servers add');

  const elsewhere = join(newHome(), 'other');
  mkdirSync(elsewhere);
  const { findings } = await examine(elsewhere, { BACKEND_PORT: new URL(running.url).port });
  expect(about(findings, 'in use by a Peta of another folder')?.state).toBe('wrong');
  const remote = await examine(elsewhere, { PETA_URL: running.url });
  expect(about(remote.findings, 'could not be examined')?.todo).toContain('PETA_TOKEN');

  await running.end('SIGKILL');
  const killed = await examine(running.home);
  expect(killed.code).toBe(1);
  expect(about(killed.findings, 'does not answer')?.todo).toContain('npm start');
  const again = await startPeta({ home: running.home });
  await again.end('SIGTERM');
});
