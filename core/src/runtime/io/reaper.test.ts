import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test, vi } from 'vitest';

/** A stand-in for Peta: starts a stubborn server, tells both pids, then does as `ending` says. */
const startPeta = async (ending: string) => {
  const stubborn = `process.on('SIGTERM', () => {}); process.on('SIGHUP', () => {}); setInterval(() => {}, 1000); console.log(1);`;
  const script = `
    import { createLogRing } from '${join(import.meta.dirname, '../log-ring.ts')}';
    import { startProcess } from '${join(import.meta.dirname, 'process.ts')}';
    import { createReaper } from '${join(import.meta.dirname, 'reaper.ts')}';
    const reaper = createReaper();
    const ring = createLogRing(() => new Date());
    const wanted = { command: process.execPath, args: ['-e', ${JSON.stringify(stubborn)}], env: {} };
    const server = await startProcess(wanted, { ring, reaper, inherit: [] });
    await new Promise((done) => server.stdout.once('data', done));
    console.log(server.pid);
    process.stdin.once('data', async () => { ${ending} });
  `;
  const peta = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const lines = createInterface({ input: peta.stdout });
  const server = Number(await new Promise<string>((done) => lines.once('line', done)));
  return { peta, server, reaper: await reaperOf(peta) };
};

/** The child of Peta that is the reaper. */
const reaperOf = (peta: ChildProcess): Promise<number> =>
  vi.waitFor(() => {
    const table = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' });
    const row = table.split('\n').find((line) => line.includes('reaper-process') && line.includes(` ${peta.pid} `));
    if (!row) throw new Error('there is no reaper');
    return Number.parseInt(row, 10);
  }, 3_000);
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const gone = (...pids: number[]) => vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), 6_000);

test('servers end when Peta is killed, however stubborn they are, and so does the reaper', async () => {
  const { peta, server, reaper } = await startPeta('');
  expect(isAlive(server)).toBe(true);
  peta.kill('SIGKILL');
  await gone(server, reaper);
});

test('what ends Peta from a terminal leaves the reaper to do its work', async () => {
  const { peta, server, reaper } = await startPeta('');
  const sessionOf = (pid: number) => execFileSync('ps', ['-o', 'sid=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  expect(sessionOf(reaper)).not.toBe(sessionOf(Number(peta.pid)));
  // Ctrl-C and a closed terminal reach the whole foreground group.
  for (const name of ['SIGINT', 'SIGHUP'] as const) process.kill(-Number(peta.pid), name);
  await gone(Number(peta.pid), server, reaper);
});

test('a reaper that was ended itself is started anew and knows what runs', async () => {
  const { peta, server, reaper } = await startPeta('');
  process.kill(reaper, 'SIGKILL');
  await gone(reaper);
  const second = await reaperOf(peta);
  expect(second).not.toBe(reaper);
  peta.kill('SIGKILL');
  await gone(server, second);
});

test('the reaper ends with Peta when nothing is left to end, and keeps its output open for nobody', async () => {
  const { peta, server, reaper } = await startPeta('await server.stop(); reaper.close(); process.stdin.destroy();');
  const closed = new Promise((done) => peta.once('close', done));
  peta.stdin?.write('go\n');
  await closed;
  await gone(Number(peta.pid), server, reaper);
});
