/** Tasks through the gateway: whose they are, who is given one, and what outlives what. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectLegacy, textOf } from '../harness/clients.ts';
import { startPeta, until } from '../harness/peta.ts';
import { createTaskWorld, SERVERS, type TaskWorld, UNKNOWN } from '../harness/task-world.ts';
import { askModern, type ConnectTasks, legacyTasks, listTasks, modernTasks } from '../harness/tasks.ts';

const url = () => world.peta.mcpUrl;
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

describe('a client of 2025-11-25', () => {
  test.each(SERVERS)('lists its own tasks, of all servers, and nobody else does (%s)', async (era) => {
    const client = await legacyTasks(url(), world.token);
    const first = await client.begin(`http-${era}__slow_compute`, { seconds: 60 });
    const second = await client.begin(`http-${era}__slow_compute`, { seconds: 0 });
    await client.finish(second.taskId);
    const mine = await listTasks(url(), world.token);
    const states = new Map(mine.map(({ taskId, status }) => [taskId, status]));
    expect([states.get(first.taskId), states.get(second.taskId)]).toEqual(['working', 'completed']);
    const theirs = await listTasks(url(), other);
    expect(theirs.filter(({ taskId }) => states.has(taskId))).toEqual([]);
    await client.cancel(first.taskId);
    await client.close();
  });

  test('is given a task by a server that answers at once, and keeps it', async () => {
    const client = await legacyTasks(url(), world.token);
    const begun = await client.begin('http-modern__greet', { name: 'Ada' });
    expect(begun.status).toBe('completed');
    expect(await client.finish(begun.taskId)).toMatchObject({ result: { content: [{ text: 'Hello, Ada!' }] } });
    await expect(client.cancel(begun.taskId)).rejects.toThrow('-32602');
    await client.close();
  });

  test('cannot make a task of a tool that is none', async () => {
    const client = await legacyTasks(url(), world.token);
    await expect(client.begin('http-legacy__greet', { name: 'Ada' })).rejects.toThrow('-32601');
    await client.close();
  });
});

describe('a client of 2026-07-28 that does not know tasks', () => {
  test.each(SERVERS)('is never given one (%s)', async (era) => {
    const ask = (method: string, params: Record<string, unknown>) => askModern(url(), world.token, method, params, {});
    const name = `http-${era}__slow_compute`;
    const quick = await ask('tools/call', { name, arguments: { seconds: 0 }, task: { ttl: 1 } });
    expect(quick.result).toMatchObject({ resultType: 'complete', content: [{}] });
    const refused = [
      await ask('tools/call', { name: `http-${era}__failing_job`, arguments: {} }),
      await ask('tasks/get', { taskId: 'x' }),
      await ask('subscriptions/listen', { notifications: { taskIds: ['x'] } }),
    ];
    const data = { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } };
    for (const { error } of refused) expect(error).toMatchObject({ code: -32021, data });
    expect((await ask('tasks/result', { taskId: 'x' })).error?.code).toBe(-32601);
  });
});

describe('whoever loses a tool', () => {
  test.each(CLIENTS)('loses its tasks (%s)', async (era, connect) => {
    const userId = `loser-${era}`;
    const secret = await world.addUser(userId);
    const client = await connect(url(), secret);
    const { taskId } = await client.begin('http-modern__slow_compute', { seconds: 60 });
    expect((await client.get(taskId)).status).toBe('working');
    await world.api.users.update({
      userId,
      permissions: { 'http-modern': { enabled: true, tools: { slow_compute: { enabled: false } } } },
    });
    await until('the handle is gone', () =>
      client.get(taskId).then(
        () => false,
        (error: Error) => UNKNOWN.test(error.message),
      ),
    );
    if (era === '2025-11-25') expect(await listTasks(url(), secret)).toEqual([]);
    await client.close();
  });
});

test('what is asked about a task is in the log, with the tool that began it', async () => {
  const client = await modernTasks(url(), world.token);
  const { taskId } = await client.begin('http-modern__slow_compute', { seconds: 60 });
  await client.cancel(taskId);
  const { records } = await world.api.audit.list({ kind: 'call', limit: 20 });
  const about = { serverId: 'http-modern', name: 'slow_compute' };
  expect(records).toContainEqual(expect.objectContaining({ ...about, operation: 'tools/call', outcome: 'task' }));
  expect(records).toContainEqual(expect.objectContaining({ ...about, operation: 'tasks/cancel', exposedName: taskId }));
});

test('at an anonymous endpoint a handle opens its task, and nothing is listed', async () => {
  await world.api.servers.update({ serverId: 'http-modern', anonymousRateLimit: 1000 });
  await world.api.endpoints.create({
    name: 'open',
    anonymous: true,
    nameStyle: 'none',
    selection: [{ serverId: 'http-modern' }],
  });
  const open = `${world.peta.url}/mcp/e/open`;
  const client = await legacyTasks(open, undefined);
  const { taskId } = await client.begin('slow_compute', { seconds: 0 });
  expect(await client.finish(taskId)).toMatchObject({ result: {} });
  await expect(listTasks(open, undefined)).rejects.toThrow('-32601');
  // A handle is good where it was given.
  await expect((await legacyTasks(url(), world.token)).get(taskId)).rejects.toThrow(UNKNOWN);
  await client.close();
});

test('questions of tasks on one shared connection reach whoever began each, and nobody else', async () => {
  const people = [world.token, other].flatMap((token) => CLIENTS.map(([era, connect]) => ({ era, token, connect })));
  const seen = await Promise.all(
    people.map(async ({ era, token, connect }, person) => {
      const client = await connect(url(), token);
      const marks = Array.from({ length: 10 }, (_, i) => `${era} ${person} ${i}`);
      const begun = await Promise.all(
        marks.map(async (mark) => (await client.begin('stdio-legacy__confirm_delete', { filename: mark })).taskId),
      );
      const ends = await Promise.all(begun.map((taskId) => client.finish(taskId)));
      await client.close();
      const texts = ends.map((end) => ('result' in end ? textOf(end.result) : end.error.message));
      return { marks, texts, asked: [...new Set(client.asked)].sort() };
    }),
  );
  for (const { marks, texts, asked } of seen) {
    expect(asked).toEqual(marks.map((mark) => `Delete ${mark}?`).sort());
    expect(texts.map((text) => text.split(':')[0])).toEqual(marks);
  }
});

test('a task that has expired is gone', async () => {
  const client = await legacyTasks(url(), world.token);
  const { taskId } = await client.begin('http-legacy__slow_compute', { seconds: 0 }, 500);
  expect((await client.get(taskId)).taskId).toBe(taskId);
  await until('it is gone', () =>
    client.get(taskId).then(
      () => false,
      (error: Error) => UNKNOWN.test(error.message),
    ),
  );
  expect((await listTasks(url(), world.token)).map((task) => task.taskId)).not.toContain(taskId);
  await client.close();
});

test('tools of a server that makes tasks are said to be fit for them, and calls without tasks stay as they were', async () => {
  const client = await connectLegacy(url(), world.token);
  const { tools } = await client.listTools();
  const greet = tools.find(({ name }) => name === 'http-modern__greet');
  expect(greet).toMatchObject({ execution: { taskSupport: 'optional' } });
  expect(await client.callTool({ name: 'http-modern__greet', arguments: { name: 'Ada' } })).toMatchObject({
    content: [{ text: 'Hello, Ada!' }],
  });
  await client.close();
});

test('a handle outlives Peta, as long as the server goes on', async () => {
  const begun = await Promise.all(
    CLIENTS.flatMap(([era, connect]) =>
      SERVERS.map(async (server) => {
        const client = await connect(url(), world.token);
        const { taskId } = await client.begin(`http-${server}__confirm_delete`, { filename: `${era} ${server}` });
        return { connect, taskId, filename: `${era} ${server}` };
      }),
    ),
  );
  const held = await (await legacyTasks(url(), world.token)).begin('http-modern__greet', { name: 'Ada' });
  await world.peta.end('SIGKILL');
  world.peta = await startPeta({ home: world.peta.home });
  for (const { connect, taskId, filename } of begun) {
    const client = await connect(url(), world.token);
    expect(await client.finish(taskId)).toMatchObject({
      result: { content: [{ text: expect.stringContaining(`${filename}: accept`) }] },
    });
    await client.close();
  }
  const later = await legacyTasks(url(), world.token);
  expect(await later.finish(held.taskId)).toMatchObject({ result: { content: [{ text: 'Hello, Ada!' }] } });
  await later.close();
});
