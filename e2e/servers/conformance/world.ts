/** What outlives a request and a session: grown lists, tasks, and the key that seals a request's state. */
import { randomBytes } from 'node:crypto';
import { createRequestStateCodec } from '@modelcontextprotocol/server';
import type { Record } from './record.ts';
import { createTasks } from './tasks/tasks.ts';

/** What changed, for those who are connected. */
export type Change =
  | { kind: 'tool'; name: string }
  | { kind: 'prompt'; name: string }
  | { kind: 'updated'; uri: string };

/** What a tool remembers between two rounds of questions. */
export type State = { tool: string; round?: number; note?: string };

export type World = ReturnType<typeof createWorld>;

/** Makes a world in which nothing has grown and no task runs. */
export const createWorld = (record: Record) => {
  const grown = { tool: [] as string[], prompt: [] as string[] };
  const listeners = new Set<(change: Change) => void>();
  const tell = (change: Change) => {
    for (const listener of listeners) listener(change);
  };
  return {
    record,
    grown,
    states: createRequestStateCodec<State>({ key: randomBytes(32) }),
    tasks: createTasks(),
    tell,
    /** Adds a tool or a prompt and tells everybody; returns its name. */
    grow: (kind: 'tool' | 'prompt') => {
      const name = `grown_${kind}_${grown[kind].length + 1}`;
      grown[kind].push(name);
      tell({ kind, name });
      return name;
    },
    /** Calls `listener` for each change until the returned function is called. */
    listen: (listener: (change: Change) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};
