import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Entry } from '../entry.ts';
import { openJournal, segmentName } from './journal.ts';

const folders: string[] = [];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peta-journal-'));
  folders.push(folder);
});
afterAll(() => Promise.all(folders.map((one) => rm(one, { recursive: true, force: true }))));

const entry = (over: Partial<Entry> = {}): Entry => ({
  id: randomUUID(),
  event: 'whole',
  workspaceId: 'default',
  at: new Date().toISOString(),
  kind: 'call',
  operation: 'tools/call',
  arguments: { text: 'a\u0000b' },
  outcome: 'done',
  ...over,
});

test('entries that wait together are all written, in order, for the owner alone', async () => {
  const journal = await openJournal({ folder, fsync: true });
  const entries = Array.from({ length: 500 }, () => entry());
  await Promise.all(entries.map((one) => journal.append(one)));
  const lines = (await readFile(join(folder, segmentName(1)), 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).id)).toEqual(entries.map(({ id }) => id));
  expect((await stat(join(folder, segmentName(1)))).mode & 0o777).toBe(0o600);
  await journal.close();
});

test('segments follow one another when they are full, and lose no line', async () => {
  const journal = await openJournal({ folder, fsync: false, maxSegmentBytes: 1_000 });
  const entries = Array.from({ length: 30 }, () => entry());
  for (const one of entries) await journal.append(one);
  await journal.close();
  const names = (await readdir(folder)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  expect(names.length).toBeGreaterThan(5);
  expect(texts.every((text) => text.length <= 1_000)).toBe(true);
  const ids = texts
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).id);
  expect(ids).toEqual(entries.map(({ id }) => id));
});

test.runIf(process.platform === 'linux')(
  'a full disk fails the append in words, leaves no half line, and later appends work',
  async () => {
    const script = `
    import { randomUUID } from 'node:crypto';
    import { openJournal } from ${JSON.stringify(join(import.meta.dirname, 'journal.ts'))};
    process.on('SIGXFSZ', () => {});
    const journal = await openJournal({ folder: process.argv[1], fsync: false });
    const entry = (n) => ({ id: randomUUID(), event: 'whole', workspaceId: 'default', at: new Date().toISOString(), kind: 'call', operation: 'x'.repeat(n), outcome: 'done' });
    await journal.append(entry(10));
    console.log(await journal.append(entry(100000)).then(() => 'written', (error) => error.code));
    await journal.append(entry(10));
    console.log('went on');`;
    const said = await new Promise<string>((done) => {
      const command = 'ulimit -f 40; exec "$0" --input-type=module -e "$1" "$2"';
      const child = spawn('bash', ['-c', command, process.execPath, script, folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += chunk;
      });
      child.on('close', () => done(text));
    });
    expect(said).toBe('EFBIG\nwent on\n');
    const lines = (await readFile(join(folder, segmentName(1)), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).operation)).toEqual(['x'.repeat(10), 'x'.repeat(10)]);
  },
);
