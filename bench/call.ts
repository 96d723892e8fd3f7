/**
 * What a governed call costs, measured side by side in one run: direct to a fast server, through a bare forwarder, and
 * through Peta with everything on (identity, catalog, layers, journal, PostgreSQL). `--smoke` only shows that it runs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@peta/api';
import { type Measured, measure, type Target } from './load.ts';

const isSmoke = process.argv.includes('--smoke');
const ROUNDS = isSmoke ? 1 : 5;
const CALLS: Record<number, number> = isSmoke ? { 1: 50, 32: 200 } : { 1: 3_000, 32: 12_000 };
const HERE = import.meta.dirname;

const children: ChildProcess[] = [];
const home = mkdtempSync(join(tmpdir(), 'peta-bench-'));

const run = (args: string[], env: Record<string, string> = {}): Promise<string> => {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return new Promise((done, fail) => {
    createInterface({ input: child.stdout }).once('line', done);
    child.once('exit', (code) => fail(new Error(`${args[0]} ended with ${code} before it was ready.`)));
  });
};

const startGovernance = async (serverUrl: string): Promise<Target> => {
  const env = { PETA_HOME: home, BACKEND_PORT: '0', LOG_LEVEL: 'warn' };
  const ready = JSON.parse(await run([join(HERE, '../cli/src/main.ts'), 'start', '--json'], env)) as {
    url: string;
    mcpUrl: string;
  };
  const machine = JSON.parse(readFileSync(join(home, 'admin.json'), 'utf8')) as { token: string };
  const api = createClient(ready.url, { token: machine.token });
  await api.servers.create({ serverId: 'fast', launchConfig: { type: 'http', url: serverUrl } });
  await api.users.create({ userId: 'bench', name: 'Bench', permissions: { fast: { enabled: true } } });
  const { secret } = await api.tokens.issue({ userId: 'bench', name: 'bench' });
  return {
    name: 'through Peta',
    url: ready.mcpUrl,
    headers: { authorization: `Bearer ${secret}` },
    tool: 'fast__echo',
  };
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const medianOf = (rounds: readonly Measured[]): Measured => ({
  callsPerSecond: median(rounds.map(({ callsPerSecond }) => callsPerSecond)),
  p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
  p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
});

const print = (connections: number, results: ReadonlyMap<string, Measured>): void => {
  const base = results.get('bare forwarder')?.callsPerSecond ?? 1;
  console.log(
    `\n${connections} connection${connections > 1 ? 's' : ''}      calls/s    p50 ms    p99 ms   of the forwarder`,
  );
  for (const [name, { callsPerSecond, p50Ms, p99Ms }] of results)
    console.log(
      `${name.padEnd(16)} ${callsPerSecond.toFixed(0).padStart(8)} ${p50Ms.toFixed(2).padStart(9)} ${p99Ms.toFixed(2).padStart(9)} ${(callsPerSecond / base).toFixed(2).padStart(18)}`,
    );
};

const main = async (): Promise<void> => {
  const direct = await run([join(HERE, 'fast-server.ts')]);
  const forwarder = await run([join(HERE, 'forwarder.ts'), direct]);
  const targets: Target[] = [
    { name: 'direct', url: direct, headers: {}, tool: 'echo' },
    { name: 'bare forwarder', url: forwarder, headers: {}, tool: 'echo' },
    await startGovernance(direct),
  ];
  console.log(
    `Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, median of ${ROUNDS} interleaved rounds`,
  );
  for (const target of targets) await measure(target, 8, isSmoke ? 50 : 2_000);
  for (const [connections, calls] of Object.entries(CALLS).map(([k, v]) => [Number(k), v] as const)) {
    const rounds = new Map<string, Measured[]>(targets.map(({ name }) => [name, []]));
    for (let round = 0; round < ROUNDS; round += 1)
      for (const target of targets) rounds.get(target.name)?.push(await measure(target, connections, calls));
    print(connections, new Map([...rounds].map(([name, all]) => [name, medianOf(all)])));
  }
};

try {
  await main();
} finally {
  await Promise.all(
    children.map(
      (child) =>
        new Promise((done) => {
          child.once('exit', done);
          if (child.exitCode !== null || !child.kill('SIGTERM')) done(undefined);
        }),
    ),
  );
  rmSync(home, { recursive: true, force: true });
}
