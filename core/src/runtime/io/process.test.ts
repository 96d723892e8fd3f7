import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogRing, type LogRing } from '../log-ring.ts';
import { type ServerProcess, startProcess } from './process.ts';
import { createReaper, type Reaper } from './reaper.ts';

let ring: LogRing;
let reaper: Reaper;
let running: ServerProcess[];
beforeEach(() => {
  ring = createLogRing(() => new Date());
  reaper = createReaper();
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((child) => child.stop()));
  reaper.close();
});

const run = async (script: string, wanted: { env?: Record<string, string>; inherit?: string[] } = {}) => {
  const child = await startProcess(
    { command: process.execPath, args: ['-e', script], env: wanted.env ?? {} },
    { ring, reaper, inherit: wanted.inherit ?? [] },
  );
  running.push(child);
  return child;
};
const firstLine = async (child: ServerProcess): Promise<string> => {
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return String(line);
};
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a server sees what it needs, what it was given and what is named, and nothing else', async () => {
  const secrets = { DATABASE_URL: 'postgres://x', JWT_SECRET: 'y', PETA_HOME: '/z', NAMED: 'yes' };
  for (const [name, value] of Object.entries(secrets)) vi.stubEnv(name, value);
  const child = await run('console.log(JSON.stringify(process.env))', { env: { GIVEN: 'too' }, inherit: ['NAMED'] });
  const seen = JSON.parse(await firstLine(child));
  vi.unstubAllEnvs();
  expect(seen).toMatchObject({ GIVEN: 'too', NAMED: 'yes', PATH: process.env.PATH });
  expect(Object.keys(seen)).not.toEqual(expect.arrayContaining(['DATABASE_URL']));
  for (const name of ['DATABASE_URL', 'JWT_SECRET', 'PETA_HOME']) expect(seen).not.toHaveProperty(name);
});

test('nothing of a command is read by a shell', async () => {
  const child = await startProcess(
    { command: process.execPath, args: ['-e', 'console.log(process.argv[1])', '$(id); `id` | id'], env: {} },
    { ring, reaper, inherit: [] },
  );
  running.push(child);
  expect(await firstLine(child)).toBe('$(id); `id` | id');
});

test.each([
  [
    'a command that does not exist',
    { command: 'no-such-command-here', args: [] },
    'The command "no-such-command-here"',
  ],
  ['a folder that does not exist', { command: process.execPath, args: [], cwd: '/no/such' }, 'the folder /no/such'],
  ['a command that is no program', { command: '/etc/passwd', args: [] }, '(EACCES)'],
  ['an argument the system does not take', { command: 'node', args: ['--key=hunter2\0'] }, 'such as a null byte'],
])('%s is refused with a sentence that holds no secret', async (_what, wanted, words) => {
  const starting = startProcess({ env: { KEY: 'hunter2' }, ...wanted }, { ring, reaper, inherit: [] });
  const { message } = await starting.then(
    () => new Error('it started'),
    (error: Error) => error,
  );
  expect(message).toContain(words);
  expect(message).not.toContain('hunter2');
});

test('standard error is kept for administrators, by line, however it arrives', async () => {
  const child = await run(
    `process.stderr.write('one\\ntw'); setTimeout(() => process.stderr.write('o\\r\\n\\nthree'), 50)`,
  );
  await child.exited;
  await vi.waitFor(() =>
    expect(ring.last(10).map(({ source, text }) => [source, text])).toEqual([
      ['stderr', 'one'],
      ['stderr', 'two'],
      ['stderr', 'three'],
    ]),
  );
});

test('a line of standard error that does not end costs no memory', async () => {
  const before = process.memoryUsage().rss;
  const child = await run(`process.stderr.write('x'.repeat(200 * 1024 * 1024), () => process.exit(0))`);
  await child.exited;
  await vi.waitFor(() => expect(ring.last(1)[0]?.text.length).toBeGreaterThan(4_000));
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
}, 30_000);

test('a server that ends when its input does is not signalled', async () => {
  const child = await run(`process.stdin.resume(); process.on('SIGTERM', () => process.exit(7));`);
  await child.stop();
  expect(await child.exited).toBe('The server ended with code 0.');
});

test('a server that ignores the end of its input is asked, then made to end', async () => {
  const asked = await run(`setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(7)); console.log(1)`);
  const stubborn = await run(`setInterval(() => {}, 1000); process.on('SIGTERM', () => {}); console.log(1)`);
  await Promise.all([firstLine(asked), firstLine(stubborn)]);
  await Promise.all([asked.stop(), stubborn.stop()]);
  expect(await asked.exited).toBe('The server ended with code 7.');
  expect(await stubborn.exited).toBe('The server was ended by SIGKILL.');
});

test('what a server started ends with it, also when the server ended by itself', async () => {
  const grandchild = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`;
  const child = await run(
    `const { spawn } = require('node:child_process');
     const { pid } = spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'ignore' });
     console.log(pid); setTimeout(() => process.exit(3), 300)`,
  );
  const pid = Number(await firstLine(child));
  expect(isAlive(pid)).toBe(true);
  expect(await child.exited).toBe('The server ended with code 3.');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 6_000);
});
