import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../../../db/test-database.ts';
import { hashOfSession, type KeptSession } from '../sessions.ts';
import { postgresSessions } from './postgres-sessions.ts';
import { postgresStreams } from './postgres-streams.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const KEPT: KeptSession = {
  workspaceId: 'default',
  kind: 'user',
  userId: 'ada',
  endpoint: '/mcp',
  client: { name: 'c', version: '1', capabilities: { roots: {} } },
  protocolVersion: '2025-11-25',
  logLevel: undefined,
  subscriptions: [],
};

/** A session that is stored, and the streams of a process of its own. */
const begin = async (instanceId = randomUUID()) => {
  const { db } = database;
  const session = randomUUID();
  const sessions = postgresSessions(db);
  await sessions.insert(hashOfSession(session), KEPT);
  const processId = randomUUID();
  const streams = postgresStreams({ db, processId, instanceId });
  await streams.alive();
  return { session, sessions, streams, processId };
};
const id = () => `r${randomUUID()}`;
const event = (number: number) => ({ number, text: `{"n":${number}}` });

test('what was said comes again in order, after a number, and with no other session', async () => {
  const { session, streams } = await begin();
  const other = await begin();
  const stream = id();
  await streams.begin(session, stream, '7');
  await streams.append(session, stream, [event(1), event(2)], false);
  await streams.append(session, stream, [event(2), event(3)], false);
  expect(await streams.replay(session, stream, 1)).toEqual({
    events: [event(2), event(3)],
    requestId: '7',
    state: 'open',
  });
  expect(await other.streams.replay(other.session, stream, 0)).toBeUndefined();
  await streams.append(session, stream, [], true);
  expect(await streams.replay(session, stream, 3)).toEqual({ events: [], requestId: '7', state: 'ended' });
});

test('nothing of what was said can be read in the database', async () => {
  const { session, streams } = await begin();
  const stream = id();
  await streams.begin(session, stream, null);
  await streams.append(session, stream, [{ number: 1, text: '{"secret":"hunter2"}' }], false);
  const { rows } = await database.db.execute(sql`select * from stream_event where stream = ${stream}`);
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain('hunter2');
  const { rows: kept } = await database.db.execute(sql`select * from session`);
  expect(JSON.stringify(kept)).not.toContain(session);
});

test('a stream whose process is gone is abandoned: at once when its home has another, else after a while', async () => {
  const home = randomUUID();
  const { session, streams, processId } = await begin(home);
  const stream = id();
  await streams.begin(session, stream, '1');
  const successor = await begin(home);
  expect(await successor.streams.isAlive(processId)).toBe(false);
  expect(await successor.streams.replay(session, stream, 0)).toMatchObject({ state: 'abandoned' });
  await successor.streams.adopt(session, stream);
  expect(await successor.streams.replay(session, stream, 0)).toMatchObject({ state: 'open' });
  await database.db.execute(
    sql`update process set seen_at = now() - interval '13 seconds' where id = ${successor.processId}`,
  );
  expect(await streams.replay(session, stream, 0)).toMatchObject({ state: 'abandoned' });
});

test('streams go with their session, some time after they ended, and when nobody is left to end them', async () => {
  const { session, sessions, streams, processId } = await begin();
  const [ended, running, left] = [id(), id(), id()];
  for (const stream of [ended, running, left]) await streams.begin(session, stream, '1');
  await streams.append(session, ended, [event(1)], true);
  await database.db.execute(sql`update stream set ended_at = now() - interval '1 hour' where id = ${ended}`);
  await database.db.execute(
    sql`update stream set created_at = now() - interval '1 hour', process_id = ${randomUUID()} where id = ${left}`,
  );
  await streams.sweep(60_000);
  expect(await streams.replay(session, ended, 0)).toBeUndefined();
  expect(await streams.replay(session, running, 0)).toMatchObject({ state: 'open' });
  expect(await streams.replay(session, left, 0)).toMatchObject({ state: 'ended' });
  await sessions.remove(hashOfSession(session));
  expect(await streams.replay(session, running, 0)).toBeUndefined();
  await streams.leave();
  expect(await streams.isAlive(processId)).toBe(false);
});

test('a session is found with what its client set, and goes when nobody has used it for long enough', async () => {
  const { sessions } = await begin();
  const [used, idle] = [hashOfSession(randomUUID()), hashOfSession(randomUUID())];
  for (const hash of [used, idle]) await sessions.insert(hash, KEPT);
  await sessions.save(used, { logLevel: 'error', subscriptions: ['files::a'] });
  expect(await sessions.find(used)).toEqual({ ...KEPT, logLevel: 'error', subscriptions: ['files::a'] });
  await database.db.execute(sql`update session set last_used_at = now() - interval '2 hours'`);
  await sessions.used([used]);
  await sessions.sweep(3_600_000);
  expect([await sessions.find(used), await sessions.find(idle)]).toEqual([expect.anything(), undefined]);
});

test('of a session that has ended nothing is kept, and that is no fault', async () => {
  const { session, sessions, streams } = await begin();
  const [before, after] = [id(), id()];
  expect(await streams.begin(session, before, '1')).toBe(true);
  expect(await streams.append(session, before, [event(1)], false)).toBe(true);
  await sessions.remove(hashOfSession(session));
  expect(await streams.append(session, before, [event(2)], true)).toBe(false);
  expect(await streams.begin(session, after, '2')).toBe(false);
});
