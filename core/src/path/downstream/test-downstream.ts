import { randomBytes } from 'node:crypto';
import type { Connection } from './connection.ts';
import { createDownstream } from './downstream.ts';
import type { ServerKey } from './execute.ts';
import { createParking } from './parking.ts';
import { createQuiet } from './quiet.ts';
import { createTickets } from './tickets.ts';
import { createWaiting } from './waiting.ts';

/** A connection to nothing. */
export const unused: Connection = {
  capabilities: {},
  isStateless: false,
  request: async () => ({}),
  rootsChanged: () => {},
  watch: async () => () => {},
  followTask: () => () => {},
  onListChanged: () => {},
  onClosed: () => {},
  close: async () => {},
};

type Use = <T>(key: ServerKey, run: (connection: Connection) => Promise<T>) => Promise<T>;

/** The downstream stage over whatever lends connections. */
export const testDownstream = (use: Use, { callTimeoutMs = 1_000, ttlMs = 60_000 } = {}) =>
  createDownstream({
    use: (key, run) => use(key, (connection) => run({ connection, bind: () => {}, keep: () => () => {} })),
    watch: async () => {},
    support: () => undefined,
    callTimeoutMs,
    tickets: createTickets({ key: randomBytes(32), now: Date.now, ttlMs }),
    waiting: createWaiting(createParking({ ttlMs })),
    elsewhere: async () => undefined,
    quiet: createQuiet(),
    processId: 'this',
  });
