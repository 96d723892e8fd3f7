import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Admitted, type Ask, type Call, EVERYWHERE, type Outcome } from '#call';
import { createTestDatabase } from '../../db/test-database.ts';
import { postgresTasks } from './io/postgres-tasks.ts';
import { createEndingSeal } from './seal.ts';
import { createTasks } from './tasks.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const key = randomBytes(32);
const START = Date.parse('2026-01-01T00:00:00Z');

const build = ({ pageSize = 10 } = {}) => {
  const clock = { now: START };
  const lost = new Set<string>();
  const tasks = createTasks({
    store: postgresTasks(database.db),
    reaches: ({ name }) => !lost.has(name),
    seal: createEndingSeal(key),
    now: () => clock.now,
    pageSize,
  });
  return { tasks, clock, lost };
};

/** A person of their own for each test, as the table is shared. */
const admit = (userId = randomBytes(6).toString('hex'), endpoint = '/mcp'): Admitted => ({
  endpoint,
  address: '127.0.0.1',
  sessionId: undefined,
  client: { name: 'c', version: '1', capabilities: {} },
  caller: {
    workspaceId: 'default',
    kind: 'user',
    userId,
    role: 3,
    tokenId: null,
    scope: EVERYWHERE,
    operations: null,
    isAuditor: false,
    owner: null,
    endsAt: null,
    permissions: {},
    preferences: {},
  },
});
const ask = (method: string, exposedName: string, over: Partial<Ask> = {}): Ask => ({
  callId: 'c',
  requestId: 1,
  method,
  kind: 'tool',
  exposedName,
  params: {},
  notify: () => {},
  signal: new AbortController().signal,
  task: { kind: 'about', handle: exposedName, isDetailed: true },
  ...over,
});
const creating = (who: Admitted, over: Partial<Ask> = {}): Call => ({
  ...ask('tools/call', 's__t', { task: { kind: 'may' }, ...over }),
  ...who,
  capability: { kind: 'tool', serverId: 's', name: 't' },
});
const state = { taskId: 'own', status: 'working', createdAt: 'then', lastUpdatedAt: 'then', ttlMs: 60_000 };
const seen = (more: object = {}): Outcome => ({ kind: 'task', task: { ...state, ...more } });

type Tasks = ReturnType<typeof build>['tasks'];
const begin = async (tasks: Tasks, who: Admitted, more: object = {}): Promise<string> => {
  const outcome = await tasks.present(creating(who), seen(more));
  if (outcome.kind !== 'task') throw new Error(outcome.kind);
  return outcome.task.taskId;
};
const resolved = async (tasks: Tasks, method: string, handle: string, who: Admitted, over?: Partial<Ask>) => {
  const call = await tasks.resolve(ask(method, handle, over), who);
  if (call.kind === 'refused') throw new Error(call.code);
  return call;
};

test('a handle leads back to the task of the server, for its owner alone', async () => {
  const { tasks } = build();
  const who = admit();
  const handle = await begin(tasks, who);
  expect(handle).toMatch(/^[\w-]{22}$/);
  expect((await resolved(tasks, 'tasks/get', handle, who)).kept?.ownId).toBe('own');
  for (const stranger of [admit(), admit(who.caller.userId ?? '', '/mcp/e/other')])
    expect(await tasks.resolve(ask('tasks/get', handle), stranger)).toMatchObject({ code: 'unknown-task' });
  for (const name of ['own', '\u0000', `${handle}x`])
    expect(await tasks.resolve(ask('tasks/get', name), who)).toMatchObject({ code: 'unknown-task' });
});

test('a lost tool takes its tasks along, from lists too', async () => {
  const { tasks, lost } = build();
  const who = admit();
  const handle = await begin(tasks, who);
  lost.add('t');
  expect(await tasks.resolve(ask('tasks/get', handle), who)).toMatchObject({ code: 'unknown-task' });
  expect(await tasks.list(ask('tasks/list', ''), who, async () => seen())).toMatchObject({ result: { tasks: [] } });
});

test('a task that has expired is gone, and the table forgets it', async () => {
  const { tasks, clock } = build();
  const who = admit();
  const handle = await begin(tasks, who);
  await tasks.present(await resolved(tasks, 'tasks/get', handle, who), seen({ ttlMs: 120_000 }));
  clock.now += 100_000;
  await resolved(tasks, 'tasks/get', handle, who);
  clock.now += 30_000;
  expect(await tasks.resolve(ask('tasks/get', handle), who)).toMatchObject({ code: 'unknown-task' });
  expect(await tasks.sweep()).toBeGreaterThan(0);
  expect(await tasks.sweep()).toBe(0);
});

test('what a task ended with is not kept where its server keeps it', async () => {
  const { tasks } = build();
  const who = admit();
  const handle = await begin(tasks, who);
  const call = await resolved(tasks, 'tasks/get', handle, who);
  const told = await tasks.present(call, seen({ status: 'completed', result: { content: ['secret'], isError: true } }));
  expect(told).toMatchObject({ task: { taskId: handle, result: { content: ['secret'] } } });
  const { kept } = await resolved(tasks, 'tasks/get', handle, who);
  expect(kept?.state).toMatchObject({ status: 'completed', result: { isError: true } });
  expect(JSON.stringify(kept)).not.toContain('secret');
});

test('an answer that came at once is held, sealed, for whoever demanded a task', async () => {
  const { tasks } = build();
  const who = admit();
  const result = { content: [{ type: 'text', text: 'secret' }] };
  const done: Outcome = { kind: 'done', result, isToolError: false };
  const demanded = creating(who, { task: { kind: 'must', ttlMs: 5_000 } });
  const begun = await tasks.present(demanded, done);
  if (begun.kind !== 'task') throw new Error(begun.kind);
  expect(begun.task).toMatchObject({ status: 'completed', ttlMs: 5_000 });
  const handle = begun.task.taskId;
  const { rows } = await database.db.$client.query('select * from task where id = $1', [handle]);
  expect(JSON.stringify(rows)).not.toContain('secret');
  const outcomes = await Promise.all(
    ['tasks/get', 'tasks/result', 'tasks/update', 'tasks/cancel'].map(async (method) =>
      tasks.settled(await resolved(tasks, method, handle, who)),
    ),
  );
  expect(outcomes).toMatchObject([
    { task: { status: 'completed', result } },
    { result },
    { result: {} },
    { result: {} },
  ]);
  const plain = { task: { kind: 'about' as const, handle, isDetailed: false } };
  const cancelled = tasks.settled(await resolved(tasks, 'tasks/cancel', handle, who, plain));
  expect(cancelled).toMatchObject({ kind: 'failed', error: { code: -32602 } });
});

test('what was cancelled stays so, whatever its server still makes of it', async () => {
  const { tasks } = build();
  const who = admit();
  const handle = await begin(tasks, who);
  expect(tasks.settled(await resolved(tasks, 'tasks/get', handle, who))).toBeUndefined();
  await tasks.present(await resolved(tasks, 'tasks/cancel', handle, who), seen({ status: 'cancelled' }));
  expect(tasks.settled(await resolved(tasks, 'tasks/get', handle, who))).toMatchObject({
    task: { status: 'cancelled' },
  });
  expect(tasks.settled(await resolved(tasks, 'tasks/result', handle, who))).toMatchObject({ kind: 'failed' });
});

test('a task that its server has forgotten is as one that never was', async () => {
  const { tasks } = build();
  const who = admit();
  const call = await resolved(tasks, 'tasks/get', await begin(tasks, who), who);
  const gone: Outcome = { kind: 'failed', error: { code: -32602, message: 'Task own not found' } };
  expect(await tasks.present(call, gone)).toMatchObject({ kind: 'refused', code: 'unknown-task' });
});

test('a list has every task once, the latest first, as its server says it is now', async () => {
  const { tasks, clock } = build({ pageSize: 2 });
  const who = admit();
  const handles: string[] = [];
  for (let i = 0; i < 5; i += 1) {
    clock.now += i % 2;
    handles.push(await begin(tasks, who));
  }
  const found: unknown[] = [];
  let cursor: string | undefined;
  do {
    const params = cursor === undefined ? {} : { cursor };
    const page = await tasks.list(ask('tasks/list', '', { params }), who, async (call) =>
      tasks.present(call, seen({ status: 'input_required' })),
    );
    if (page.kind !== 'done') throw new Error(page.kind);
    const { tasks: some, nextCursor } = page.result as {
      tasks: { taskId: string; status: string }[];
      nextCursor?: string;
    };
    expect(some.every(({ status }) => status === 'input_required')).toBe(true);
    found.push(...some.map(({ taskId }) => taskId));
    cursor = nextCursor;
  } while (cursor !== undefined);
  expect(new Set(found)).toEqual(new Set(handles));
  expect(found).toHaveLength(5);
  const odd = await tasks.list(ask('tasks/list', '', { params: { cursor: 'odd' } }), who, async () => seen());
  expect(odd).toMatchObject({ kind: 'failed', error: { code: -32602 } });
});
