import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { silentLog } from '#lib/log';
import { startEmbeddedPostgres } from '../../db/embedded.ts';
import { createTestDatabase } from '../../db/test-database.ts';
import type { Change } from '../bus.ts';
import { createPostgresBus } from './postgres-bus.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const change: Change = { topic: 'user', workspaceId: 'default', id: 'ada' };
const listen = async (url = database.url) => {
  const bus = await createPostgresBus({ url, log: silentLog });
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
  await database.asOwner("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'peta bus'");
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

test('a change told while the database was away fails, and reaches the replicas once it is back', async () => {
  const home = await mkdtemp(join(tmpdir(), 'peta-bus-'));
  const server = await startEmbeddedPostgres({ home, log: silentLog });
  const [a, b] = await Promise.all([listen(server.url), listen(server.url)]);
  await server.stop();
  await expect(a.bus.publish(change)).rejects.toThrow('Peta cannot reach its database right now');
  const again = await startEmbeddedPostgres({ home, log: silentLog });
  await vi.waitFor(() => expect(a.heard.concat(b.heard)).toEqual(expect.arrayContaining(['missed', change])), 15_000);
  await vi.waitFor(
    () => expect([a.heard.includes('missed'), b.heard.includes('missed')]).toEqual([true, true]),
    15_000,
  );
  await Promise.all([a.bus.close(), b.bus.close()]);
  await again.stop();
  await rm(home, { recursive: true });
}, 60_000);

test('one listener that fails does not keep a change from the others', async () => {
  const { bus, heard } = await listen();
  const errors: string[] = [];
  const loud = await createPostgresBus({
    url: database.url,
    log: { ...silentLog, error: (text) => errors.push(text) },
  });
  const others: unknown[] = [];
  loud.subscribe(() => {
    throw new Error('on purpose');
  });
  loud.subscribe((one) => others.push(one));
  await bus.publish(change);
  await vi.waitFor(() => expect([heard, others]).toEqual([[change], [change]]));
  expect(errors).toEqual(['A change could not be followed']);
  await Promise.all([bus.close(), loud.close()]);
});

test('who has unsubscribed hears no more', async () => {
  const { bus, heard } = await listen();
  const gone: unknown[] = [];
  bus.subscribe((one) => gone.push(one))();
  await bus.publish(change);
  await vi.waitFor(() => expect(heard).toEqual([change]));
  expect(gone).toEqual([]);
  await bus.close();
});
