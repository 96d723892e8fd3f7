/** Calls that go on after their answer: each runs until it has a result, and waits where it asks. */
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import {
  type CallToolResult,
  type InputRequest,
  type InputRequiredResult,
  isInputRequiredResult,
  ProtocolError,
} from '@modelcontextprotocol/server';
import { text } from '../say.ts';

export type Answers = Record<string, unknown>;

/** One turn of a tool: it returns its result, or the questions whose answers its next turn is given. */
export type Run = (answers: Answers | undefined, signal: AbortSignal) => Promise<CallToolResult | InputRequiredResult>;

type Outcome =
  | { status: 'working' }
  | { status: 'input_required'; inputRequests: Record<string, InputRequest> }
  | { status: 'completed'; result: CallToolResult }
  | { status: 'failed'; error: { code: number; message: string } }
  | { status: 'cancelled' };

export type Task = {
  id: string;
  createdAt: string;
  lastUpdatedAt: string;
  ttlMs: number;
  outcome: Outcome;
  changes: EventEmitter;
  stop: AbortController;
  answers: Answers;
};

export type Tasks = ReturnType<typeof createTasks>;

const TTL_MS = 300_000;

export const isOver = ({ outcome }: Task) => outcome.status !== 'working' && outcome.status !== 'input_required';

/** Resolves when the task's state is another one. */
export const changed = ({ changes }: Task) => once(changes, 'change');

/** Makes the tasks of one server; any of its connections may ask for each of them by its id. */
export const createTasks = () => {
  const tasks = new Map<string, Task>();
  return {
    get: (id: string) => tasks.get(id),
    all: () => [...tasks.values()],
    start: (run: Run, { answers, ttlMs = TTL_MS }: { answers?: Answers | undefined; ttlMs?: number | undefined }) => {
      const task = create(ttlMs);
      tasks.set(task.id, task);
      setTimeout(() => tasks.delete(task.id), ttlMs).unref();
      void drive(task, run, answers);
      return task;
    },
    cancel: (task: Task) => {
      settle(task, { status: 'cancelled' });
      task.stop.abort();
    },
    answer,
  };
};

const create = (ttlMs: number): Task => {
  const createdAt = new Date().toISOString();
  return {
    id: randomUUID(),
    createdAt,
    lastUpdatedAt: createdAt,
    ttlMs,
    outcome: { status: 'working' },
    changes: new EventEmitter().setMaxListeners(0),
    stop: new AbortController(),
    answers: {},
  };
};

/** What is over stays as it is. */
const settle = (task: Task, outcome: Outcome) => {
  if (isOver(task)) return;
  task.outcome = outcome;
  task.lastUpdatedAt = new Date().toISOString();
  task.changes.emit('change');
};

const drive = async (task: Task, run: Run, first: Answers | undefined) => {
  try {
    for (let answers = first; !isOver(task); ) {
      const turn = await run(answers, task.stop.signal);
      if (!isInputRequiredResult(turn)) return settle(task, { status: 'completed', result: turn });
      task.answers = {};
      settle(task, { status: 'input_required', inputRequests: { ...turn.inputRequests } });
      while (task.outcome.status === 'input_required') await changed(task);
      answers = task.answers;
    }
  } catch (error) {
    settle(task, failure(error));
  }
};

/** Only an error of the protocol fails a task; a tool's own error is its result. */
const failure = (error: unknown): Outcome => {
  if (error instanceof ProtocolError) return { status: 'failed', error: { code: error.code, message: error.message } };
  return { status: 'completed', result: { ...text(String(error)), isError: true } };
};

/** Takes the answers to questions that are open; the task goes on when none is left. */
const answer = (task: Task, answers: Answers) => {
  if (task.outcome.status !== 'input_required') return;
  const open = { ...task.outcome.inputRequests };
  for (const [key, value] of Object.entries(answers)) {
    if (!Object.hasOwn(open, key)) continue;
    delete open[key];
    task.answers[key] = value;
  }
  const isAnswered = Object.keys(open).length === 0;
  settle(task, isAnswered ? { status: 'working' } : { status: 'input_required', inputRequests: open });
};
