import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type Admitted,
  type Ask,
  type Call,
  type Capability,
  type Failed,
  isOver,
  type JsonObject,
  type KeptTask,
  type Outcome,
  type Refused,
  type Reply,
  type TaskState,
} from '#call';
import { cursorOf, placeOf } from './cursor.ts';
import type { Owner, TaskRecord, TaskStore } from './record.ts';
import type { EndingSeal } from './seal.ts';
import { settledOutcome } from './settled.ts';
import { briefOf } from './state.ts';

type Options = {
  store: TaskStore;
  /** Does the endpoint still offer the tool, and may this caller use it there? */
  reaches(capability: Capability, admitted: Admitted): boolean;
  seal: EndingSeal;
  /** Milliseconds since the epoch. */
  now(): number;
  pageSize: number;
};

const HANDLE_BYTES = 16;
const HANDLE = /^[A-Za-z0-9_-]{22}$/;
/** What nobody may keep for longer, whatever its server says. */
const MAX_TTL_MS = 30 * 24 * 3_600_000;
/** How long an end that Peta holds is kept when the client does not say, and at most. */
const HELD_TTL_MS = 3_600_000;
const MAX_HELD_TTL_MS = 24 * HELD_TTL_MS;
const MAX_EACH = 1_000;
/** Each entry of a page asks its server, so that a page is bounded. */
const MAX_PAGE = 50;
/** How long a list waits for a server to say how a task is now. */
const LOOK_MS = 3_000;
const INVALID_PARAMS = -32602;
const INTERNAL = -32603;

const failed = (code: number, message: string): Failed => ({ kind: 'failed', error: { code, message } });
const unknown = (reason: string): Refused => ({ kind: 'refused', code: 'unknown-task', reason });

const ownerOf = ({ caller: { workspaceId, kind, userId }, endpoint }: Admitted): Owner => ({
  workspaceId,
  kind,
  userId,
  endpoint,
});

/** Tasks of servers under handles of our own, each for its owner alone, on every replica and across restarts. */
export const createTasks = ({ store, reaches, seal, now, pageSize }: Options) => {
  const today = (): Date => new Date(now());

  /** By our own clock, whatever the server's says. */
  const expiryOf = ({ ttlMs }: TaskState, createdAt: Date): Date =>
    new Date(createdAt.getTime() + (typeof ttlMs === 'number' ? Math.min(Math.max(0, ttlMs), MAX_TTL_MS) : MAX_TTL_MS));

  const keptOf = ({ id, ownId, createdAt, state, sealedEnding }: TaskRecord): KeptTask => ({
    handle: id,
    ownId,
    createdAt,
    state,
    ending: sealedEnding === null ? undefined : seal.open(id, sealedEnding),
  });

  const callOf = (record: TaskRecord, ask: Ask, admitted: Admitted): Call => {
    const capability: Capability = { kind: 'tool', serverId: record.serverId, name: record.tool };
    return { ...ask, ...admitted, capability, kept: keptOf(record) };
  };

  /** Keeps what a call began before its client hears of it. */
  const keep = async (
    call: Call,
    task: TaskState,
    ownId: string | null,
    ending: Reply | undefined,
  ): Promise<Outcome> => {
    const owner = ownerOf(call);
    const createdAt = today();
    if ((await store.count(owner, createdAt)) >= MAX_EACH)
      return failed(INTERNAL, `You have ${MAX_EACH} tasks already. Wait until some of them have expired.`);
    const id = randomBytes(HANDLE_BYTES).toString('base64url');
    const { serverId, name: tool } = call.capability;
    await store.add({
      ...owner,
      id,
      serverId,
      tool,
      ownId,
      state: { ...briefOf(task), taskId: id },
      sealedEnding: ending ? seal.seal(id, ending) : null,
      createdAt,
      expiresAt: expiryOf(task, createdAt),
    });
    return { kind: 'task', task: { ...task, taskId: id } };
  };

  /** The client demanded a task, and the server has answered already: the end is held for the client to fetch. */
  const hold = (call: Call, result: JsonObject, wantedMs: number = HELD_TTL_MS): Promise<Outcome> => {
    const at = today().toISOString();
    const times = { createdAt: at, lastUpdatedAt: at, ttlMs: Math.min(wantedMs, MAX_HELD_TTL_MS) };
    const task = briefOf({ taskId: '', status: 'completed', ...times, result });
    return keep(call, task, null, { result });
  };

  /** Remembers how the task is now. What cannot be remembered is only older in a list. */
  const learn = async (
    workspaceId: string,
    { handle, createdAt, state: before }: KeptTask,
    told: TaskState,
  ): Promise<void> => {
    const state = { ...briefOf(told), taskId: handle };
    if (isDeepStrictEqual(state, before)) return;
    await store.update(workspaceId, handle, { state, expiresAt: expiryOf(state, createdAt) }).catch(() => {});
  };

  const followed = async (call: Call, kept: KeptTask, outcome: Outcome): Promise<Outcome> => {
    if (outcome.kind === 'failed' && call.method === 'tasks/get' && outcome.error.code === INVALID_PARAMS)
      return unknown(`The server does not know the task any more: ${outcome.error.message}`);
    if (outcome.kind !== 'task') return outcome;
    await learn(call.caller.workspaceId, kept, outcome.task);
    return { kind: 'task', task: { ...outcome.task, taskId: kept.handle } };
  };

  return {
    /** The call about a task of the caller's own. Unknown, another's and lost are one answer. */
    async resolve(ask: Ask, admitted: Admitted): Promise<Call | Refused> {
      const isHandle = HANDLE.test(ask.exposedName);
      const record = isHandle ? await store.find(ownerOf(admitted), ask.exposedName, today()) : undefined;
      if (!record) return unknown('There is no such task of this person at this endpoint.');
      const call = callOf(record, ask, admitted);
      if (reaches(call.capability, admitted)) return call;
      return unknown(`The tool ${record.tool} of ${record.serverId} is not there for this person any more.`);
    },

    settled: (call: Call): Outcome | undefined => call.kept && settledOutcome(call, call.kept),

    /** An outcome under the client's own handle; a new task is kept. */
    async present(call: Call, outcome: Outcome): Promise<Outcome> {
      if (call.kept) return followed(call, call.kept, outcome);
      if (outcome.kind === 'task') return keep(call, outcome.task, outcome.task.taskId, undefined);
      if (outcome.kind === 'done' && call.task?.kind === 'must') return hold(call, outcome.result, call.task.ttlMs);
      return outcome;
    },

    /** The caller's own at this endpoint, over all servers, the latest first; `look` finds out how each is now. */
    async list(ask: Ask, admitted: Admitted, look: (call: Call) => Promise<Outcome>): Promise<Outcome> {
      const place = placeOf(ask.params.cursor);
      if (!place) return failed(INVALID_PARAMS, 'Invalid params: the cursor is not one that this server gave.');
      const limit = Math.min(pageSize, MAX_PAGE);
      const records = await store.page(ownerOf(admitted), place === 'none' ? undefined : place, limit + 1, today());
      const page = records.slice(0, limit);
      const signal = AbortSignal.any([ask.signal, AbortSignal.timeout(LOOK_MS)]);

      const stateOf = async (record: TaskRecord): Promise<TaskState[]> => {
        const about = { kind: 'about' as const, handle: record.id, isDetailed: false };
        const asked: Ask = { ...ask, method: 'tasks/get', exposedName: record.id, task: about, params: {}, signal };
        const call = callOf(record, asked, admitted);
        if (!reaches(call.capability, admitted)) return [];
        if (isOver(record.state)) return [record.state];
        const outcome = await look(call);
        if (outcome.kind === 'refused') return [];
        return [outcome.kind === 'task' ? outcome.task : record.state];
      };
      const tasks = (await Promise.all(page.map(stateOf))).flat();
      const last = records.length > limit ? page.at(-1) : undefined;
      return { kind: 'done', result: { tasks, ...(last && { nextCursor: cursorOf(last) }) }, isToolError: false };
    },

    /** Forgets what has expired. */
    sweep: (): Promise<number> => store.sweep(today()),
  };
};
