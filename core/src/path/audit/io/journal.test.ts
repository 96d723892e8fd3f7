import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { silentLog } from '#lib/log';
import { createTestDatabase } from '../../../db/test-database.ts';
import type { Entry } from '../entry.ts';
import { createDrain } from './drain.ts';
import { openJournal, segmentName } from './journal.ts';
import { BadCursor, listRecords } from './query.ts';

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

const drainOf = (
  database: Awaited<ReturnType<typeof createTestDatabase>>,
  head: () => { segment: number; offset: number },
) => createDrain({ db: database.db, folder, instanceId: 'test', head, log: silentLog });

test('entries that wait together are all written, in order, for the owner alone', async () => {
  const journal = await openJournal({ folder, fsync: true });
  const entries = Array.from({ length: 500 }, () => entry());
  await Promise.all(entries.map((one) => journal.append(one)));
  const lines = (await readFile(join(folder, segmentName(1)), 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).id)).toEqual(entries.map(({ id }) => id));
  expect((await stat(join(folder, segmentName(1)))).mode & 0o777).toBe(0o600);
  await journal.close();
});

test('what was appended reaches the database once, a call as one record, and its segments go', async () => {
  const database = await createTestDatabase();
  const journal = await openJournal({ folder, fsync: false, maxSegmentBytes: 2_000 });
  const whole = Array.from({ length: 30 }, () => entry());
  for (const one of whole) await journal.append(one);
  const call = entry({ event: 'began', outcome: null, arguments: { a: 1 } });
  const open = entry({ event: 'began', outcome: null });
  await journal.append(call);
  await journal.append(open);
  const drain = drainOf(database, journal.position);
  expect(await drain.flush(10_000)).toBe(true);
  const { arguments: _arguments, ...ended } = call;
  await journal.append({ ...ended, event: 'ended', outcome: 'tool-error', serverId: 's', durationMs: 12.4 });
  expect(await drain.flush(10_000)).toBe(true);

  const { records } = await listRecords(database.db, { workspaceId: 'default', limit: 100 });
  expect(records.map(({ id }) => id).sort()).toEqual([...whole, call, open].map(({ id }) => id).sort());
  expect(records.find(({ id }) => id === call.id)).toMatchObject({
    outcome: 'tool-error',
    arguments: { a: 1 },
    serverId: 's',
    durationMs: 12,
  });
  expect(records.find(({ id }) => id === open.id)?.outcome).toBe('interrupted');
  expect((await readdir(folder)).length).toBe(1);
  await drain.close();
  await journal.close();
  await database.drop();
});

test('pages of the log show every record once, newest first', async () => {
  const database = await createTestDatabase();
  const journal = await openJournal({ folder, fsync: false });
  const at = new Date().toISOString();
  await Promise.all(Array.from({ length: 25 }, (_, i) => journal.append(entry({ at, userId: i % 2 ? 'ada' : 'bob' }))));
  const drain = drainOf(database, journal.position);
  await drain.flush(10_000);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listRecords(database.db, { workspaceId: 'default', limit: 10, cursor });
    seen.push(...page.records.map(({ id }) => id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  expect(new Set(seen).size).toBe(25);
  expect(seen).toHaveLength(25);
  const { records } = await listRecords(database.db, { workspaceId: 'default', limit: 100, userId: 'ada' });
  expect(records).toHaveLength(12);
  expect((await listRecords(database.db, { workspaceId: 'other', limit: 100 })).records).toEqual([]);
  await expect(listRecords(database.db, { workspaceId: 'default', limit: 1, cursor: 'x' })).rejects.toThrow(BadCursor);
  await drain.close();
  await journal.close();
  await database.drop();
});

test('a torn line and a line that makes no sense stop nothing', async () => {
  const database = await createTestDatabase();
  const before = await openJournal({ folder, fsync: false });
  await before.append(entry());
  await before.close();
  await appendFile(join(folder, segmentName(1)), '{"nonsense":true}\n{"id":"torn');
  const journal = await openJournal({ folder, fsync: false });
  await journal.append(entry());
  const drain = drainOf(database, journal.position);
  expect(await drain.flush(10_000)).toBe(true);
  expect((await listRecords(database.db, { workspaceId: 'default', limit: 10 })).records).toHaveLength(2);
  await drain.close();
  await journal.close();
  await database.drop();
});

test('while the database is away entries wait on disk, and follow when it is back', async () => {
  const database = await createTestDatabase();
  const journal = await openJournal({ folder, fsync: false });
  await database.db.$client.query('alter table audit_record rename to away');
  const drain = drainOf(database, journal.position);
  await journal.append(entry());
  expect(await drain.flush(300)).toBe(false);
  await database.db.$client.query('alter table away rename to audit_record');
  expect(await drain.flush(10_000)).toBe(true);
  await drain.close();
  await journal.close();
  await database.drop();
});

/** Appends for ever and says each id once it is durable. */
const WRITER = `
  import { randomUUID } from 'node:crypto';
  import { writeSync } from 'node:fs';
  import { openJournal } from ${JSON.stringify(join(import.meta.dirname, 'journal.ts'))};
  const journal = await openJournal({ folder: process.argv[1], fsync: false, maxSegmentBytes: 20000 });
  for (;;) await Promise.all(Array.from({ length: 20 }, async () => {
    const id = randomUUID();
    await journal.append({ id, event: 'whole', workspaceId: 'default', at: new Date().toISOString(), kind: 'call', operation: 'x', outcome: 'done' });
    writeSync(1, id + '\\n');
  }));`;

test('every entry that was acknowledged before a SIGKILL is in the database after the restart, once', async () => {
  const database = await createTestDatabase();
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: string[] = [];
  const closed = new Promise<void>((done) => {
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      acknowledged.push(line);
      if (acknowledged.length === 1_000) child.kill('SIGKILL');
    });
    lines.on('close', done);
  });
  await closed;
  const journal = await openJournal({ folder, fsync: false });
  const drain = drainOf(database, journal.position);
  expect(await drain.flush(10_000)).toBe(true);
  const { rows } = await database.db.$client.query<{ id: string }>('select id from audit_record');
  const stored = new Set(rows.map(({ id }) => id));
  expect(acknowledged.filter((id) => id.length === 36 && !stored.has(id))).toEqual([]);
  expect(stored.size).toBe(rows.length);
  await drain.close();
  await journal.close();
  await database.drop();
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
