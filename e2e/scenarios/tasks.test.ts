/** Tasks through the gateway: each pairing of old and new client and server, over HTTP and stdio. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../harness/peta.ts';
import { createTaskWorld, SERVERS, type TaskWorld, UNKNOWN } from '../harness/task-world.ts';
import { type ConnectTasks, legacyTasks, modernTasks } from '../harness/tasks.ts';

let other: string;
const CLIENTS: readonly [string, ConnectTasks][] = [
  ['2025-11-25', legacyTasks],
  ['2026-07-28', modernTasks],
];

let world: TaskWorld;
beforeAll(async () => {
  world = await createTaskWorld();
  other = await world.addUser('other');
});
afterAll(() => world.end());

describe.each(CLIENTS)('a client of %s', (clientEra, connect) => {
  describe.each(
    SERVERS.flatMap(
      (era) =>
        [
          [era, `http-${era}`],
          [era, `stdio-${era}`],
        ] as const,
    ),
  )('on a %s server, %s,', (serverEra, server) => {
    const tool = (name: string) => `${server}__${name}`;
    const open = () => connect(world.peta.mcpUrl, world.token);

    test('begins a task, polls it, and gets its result', async () => {
      const client = await open();
      const { taskId, status } = await client.begin(tool('slow_compute'), { seconds: 0.5, label: 'done' });
      expect(status).toBe('working');
      expect(taskId).toMatch(/^[\w-]{22}$/);
      expect(await client.get(taskId)).toMatchObject({ taskId, status: 'working' });
      expect(await client.finish(taskId)).toMatchObject({ result: { content: [{ text: 'done after 0.5 s' }] } });
      expect(await client.get(taskId)).toMatchObject({ taskId, status: 'completed' });
      await client.close();
    });

    test('answers what the task asks', async () => {
      const client = await open();
      const { taskId } = await client.begin(tool('confirm_delete'), { filename: 'a' });
      await until('it asks', async () => (await client.get(taskId)).status === 'input_required');
      const ending = await client.finish(taskId);
      expect(ending).toMatchObject({ result: { content: [{ text: expect.stringContaining('a: accept') }] } });
      expect(client.asked).toEqual(['Delete a?']);
      await client.close();
    });

    test('answers two questions of one task', async () => {
      const client = await open();
      const { taskId } = await client.begin(tool('multi_input'), {});
      expect(await client.finish(taskId)).toMatchObject({ result: { content: [{}] } });
      expect(client.asked.sort()).toEqual(['First?', 'Second?']);
      await client.close();
    });

    test('answers what is asked before there is a task, or by it', async () => {
      const client = await open();
      const { taskId } = await client.begin(tool('test_tool_with_task'), {});
      expect(await client.finish(taskId)).toMatchObject({ result: { content: [{ text: 'Hello, Ada!' }] } });
      await client.close();
    });

    test('is told that a tool failed, and how', async () => {
      const client = await open();
      const { taskId } = await client.begin(tool('failing_job'), {});
      expect(await client.finish(taskId)).toMatchObject({ result: { isError: true } });
      // The older era calls that a failed task; what an old server says to an old client stays as it is.
      const isNamedFailed = clientEra === '2025-11-25' && serverEra === 'modern';
      expect((await client.get(taskId)).status).toBe(isNamedFailed ? 'failed' : 'completed');
      await client.close();
    });

    test('is told of an error of the protocol, as the error', async () => {
      const client = await open();
      const { taskId } = await client.begin(tool('protocol_error_job'), {});
      expect(await client.finish(taskId)).toMatchObject({
        error: { code: -32603, message: expect.stringContaining('the job broke') },
      });
      expect((await client.get(taskId)).status).toBe('failed');
      await client.close();
    });

    test('cancels a task, which stays cancelled', async () => {
      const client = await open();
      const { taskId } = await client.begin(tool('slow_compute'), { seconds: 60 });
      const cancelled = await client.cancel(taskId);
      expect(cancelled).toMatchObject(
        clientEra === '2025-11-25' ? { taskId, status: 'cancelled' } : { resultType: 'complete' },
      );
      expect((await client.get(taskId)).status).toBe('cancelled');
      if (clientEra === '2025-11-25') await expect(client.cancel(taskId)).rejects.toThrow('-32602');
      else expect(await client.cancel(taskId)).toMatchObject({ resultType: 'complete' });
      await client.close();
    });

    test('finds a task of another person no more than one that never was', async () => {
      const [client, stranger] = [await open(), await connect(world.peta.mcpUrl, other)];
      const { taskId } = await client.begin(tool('slow_compute'), { seconds: 60 });
      for (const id of [taskId, 'A'.repeat(22), 'nonsense']) {
        await expect(stranger.get(id)).rejects.toThrow(UNKNOWN);
        await expect(stranger.cancel(id)).rejects.toThrow(UNKNOWN);
      }
      expect((await client.get(taskId)).status).toBe('working');
      await client.cancel(taskId);
      await Promise.all([client.close(), stranger.close()]);
    });

    test('is told how a task goes that it listens to', async () => {
      const client = await open();
      // The older era tells on the stream of the session, once that is open.
      await new Promise((done) => setTimeout(done, 100));
      const { taskId } = await client.begin(tool('slow_compute'), { seconds: 0.6, label: 'heard' });
      await client.listen([taskId, 'A'.repeat(22)]);
      await until('it is told', async () => client.told.some(({ status }) => status === 'completed'));
      expect(new Set(client.told.map((task) => task.taskId))).toEqual(new Set([taskId]));
      await client.close();
    });
  });
});
