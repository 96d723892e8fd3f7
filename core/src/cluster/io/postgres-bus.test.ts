import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { silentLog } from '#lib/log';
import { createTestDatabase } from '../../db/test-database.ts';
import type { Change } from '../bus.ts';
import { createPostgresBus } from './postgres-bus.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const change: Change = { topic: 'user', workspaceId: 'default', id: 'ada' };
const listen = async () => {
  const bus = await createPostgresBus({ url: database.url, log: silentLog });
  const heard: (Change | 'missed')[] = [];
  bus.subscribe((one) => heard.push(one));
  return { bus, heard };
};

test('a change reaches every replica, the one that told it included', async () => {
  const [a, b] = [await listen(), await listen()];
  await a.bus.publish(change);
  await vi.waitFor(() => expect([a.heard, b.heard]).toEqual([[change], [change]]));
  await Promise.all([a.bus.close(), b.bus.close()]);
});

test('after a break the listener is told that it may have missed something, and hears again', async () => {
  const { bus, heard } = await listen();
  await database.db.$client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'peta bus'",
  );
  await vi.waitFor(() => expect(heard).toEqual(['missed']), 5_000);
  await bus.publish(change);
  await vi.waitFor(() => expect(heard).toEqual(['missed', change]));
  await bus.close();
});

test('a message that makes no sense is passed over', async () => {
  const { bus, heard } = await listen();
  await database.db.$client.query("select pg_notify('peta_change', '{')");
  await bus.publish(change);
  await vi.waitFor(() => expect(heard).toEqual([change]));
  await bus.close();
});
