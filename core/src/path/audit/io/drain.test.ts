import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { silentLog } from '#lib/log';
import { sleep } from '#lib/sleep';
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

/** Ends every connection to a database and lets no new one in, until the function that it returns is called. */
const takeAway = async (url: string): Promise<() => Promise<void>> => {
  const name = new URL(url).pathname.slice(1);
  const elsewhere = new URL(url);
  elsewhere.pathname = '/postgres';
  const client = new pg.Client({ connectionString: elsewhere.href });
  await client.connect();
  await client.query(`alter database ${name} allow_connections false`);
  await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  return async () => {
    await client.query(`alter database ${name} allow_connections true`);
    await client.end();
  };
};

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

test('while the database is away entries wait on disk, and follow once when it is back', async () => {
  const database = await createTestDatabase();
  const journal = await openJournal({ folder, fsync: false });
  const drain = drainOf(database, journal.position);
  await journal.append(entry());
  expect(await drain.flush(10_000)).toBe(true);
  const back = await takeAway(database.url);
  await Promise.all(Array.from({ length: 20 }, () => journal.append(entry())));
  expect(await drain.flush(300)).toBe(false);
  await back();
  expect(await drain.flush(10_000)).toBe(true);
  expect((await listRecords(database.db, { workspaceId: 'default', limit: 100 })).records).toHaveLength(21);
  await drain.close();
  await journal.close();
  await database.drop();
});

test('a drain that is closed in the middle of its work ends, every time', async () => {
  const database = await createTestDatabase();
  const journal = await openJournal({ folder, fsync: false });
  for (let round = 0; round < 50; round += 1) {
    const drain = drainOf(database, journal.position);
    await journal.append(entry());
    await drain.close();
  }
  expect((await listRecords(database.db, { workspaceId: 'default', limit: 100 })).records).toHaveLength(50);
  await journal.close();
  await database.drop();
});

test('a nudge that comes while the drain is about to rest is not lost', async () => {
  const database = await createTestDatabase();
  let nudge = () => {};
  const journal = await openJournal({ folder, fsync: false, onAppended: () => nudge() });
  const drain = drainOf(database, journal.position);
  nudge = drain.nudge;
  const count = async () =>
    (await database.db.$client.query<{ count: number }>('select count(*)::int from audit_record')).rows[0]?.count;
  for (let round = 1; round <= 30; round += 1) {
    await journal.append(entry());
    await expect.poll(count, { interval: 2, timeout: 2_000 }).toBe(round);
  }
  await drain.close();
  await journal.close();
  await database.drop();
});

test('half a surrogate pair and a line that the database refuses stop nothing', async () => {
  const database = await createTestDatabase();
  const journal = await openJournal({ folder, fsync: false });
  const hostile = entry({ arguments: { text: '\ud800' }, exposedName: '\udfff' });
  const impossible = entry({ role: 1_000_000 });
  const later = entry();
  for (const one of [hostile, impossible, later]) await journal.append(one);
  const drain = drainOf(database, journal.position);
  expect(await drain.flush(5_000)).toBe(true);
  const { records } = await listRecords(database.db, { workspaceId: 'default', limit: 10 });
  expect(records.map(({ id }) => id).sort()).toEqual([hostile.id, later.id].sort());
  await drain.close();
  await journal.close();
  await database.drop();
});

test('bytes of a write that is not acknowledged are not carried', async () => {
  const database = await createTestDatabase();
  const journal = await openJournal({ folder, fsync: false });
  await journal.append(entry());
  const drain = drainOf(database, journal.position);
  expect(await drain.flush(10_000)).toBe(true);
  const unfinished = entry();
  await appendFile(join(folder, segmentName(1)), `${JSON.stringify(unfinished)}\n`);
  drain.nudge();
  await sleep(100);
  const next = entry();
  await journal.append(next);
  expect(await drain.flush(10_000)).toBe(true);
  const { records } = await listRecords(database.db, { workspaceId: 'default', limit: 10 });
  expect(records.map(({ id }) => id)).toContain(next.id);
  expect(records.map(({ id }) => id)).not.toContain(unfinished.id);
  await drain.close();
  await journal.close();
  await database.drop();
});

test('a journal that begins anew, because its folder was lost, is carried from its beginning', async () => {
  const database = await createTestDatabase();
  const before = await openJournal({ folder, fsync: false, maxSegmentBytes: 1_000 });
  for (let i = 0; i < 20; i += 1) await before.append(entry());
  const first = drainOf(database, before.position);
  expect(await first.flush(10_000)).toBe(true);
  await first.close();
  await before.close();
  await rm(folder, { recursive: true });
  const journal = await openJournal({ folder, fsync: false });
  await journal.append(entry());
  const drain = drainOf(database, journal.position);
  expect(await drain.flush(5_000)).toBe(true);
  expect((await listRecords(database.db, { workspaceId: 'default', limit: 100 })).records).toHaveLength(21);
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
