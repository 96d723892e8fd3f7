import type { Listing } from '#call';
import { silentLog } from '#lib/log';
import { createRuntime, type Running } from './runtime.ts';

export const key = { workspaceId: 'w', serverId: 's' };
export const EMPTY: Listing = { tools: [], resources: [], templates: [], prompts: [] };
export const listingOf = (name: string): Listing => ({ ...EMPTY, tools: [{ name }] });
export const never = () => new Promise<never>(() => {});

type Fake = Running & {
  number: number;
  isClosed: boolean;
  changeList(): void;
  end(kind: 'failed' | 'expired', reason: string): void;
};

/** A runtime whose servers are connections to nothing: a test says how they open and what they list. */
export const createTestRuntime = () => {
  const opened: Fake[] = [];
  const signals: AbortSignal[] = [];

  const connect = async (): Promise<Fake> => {
    let changed = () => {};
    const listeners: Parameters<Running['onClosed']>[0][] = [];
    const fake: Fake = {
      number: opened.length,
      isClosed: false,
      isStateless: false,
      onListChanged: (listener) => {
        changed = listener;
      },
      onClosed: (listener) => void listeners.push(listener),
      close: async () => {
        fake.isClosed = true;
      },
      changeList: () => changed(),
      end(kind, reason) {
        for (const listener of listeners) listener({ kind, reason });
      },
    };
    opened.push(fake);
    return fake;
  };

  const world = {
    opened,
    signals,
    /** What was reported, in order, and for which clients. */
    listings: [] as Listing[],
    audiences: [] as (object | undefined)[],
    connect,
    connectStateless: async (): Promise<Fake> => Object.assign(await connect(), { isStateless: true }),
    open: connect as () => Promise<Fake>,
    collect: (async () => EMPTY) as (connection: Fake, capabilities?: object) => Promise<Listing>,
    lastOpened(): Fake {
      const fake = opened.at(-1);
      if (!fake) throw new Error('nothing was opened');
      return fake;
    },
  };
  const runtime = createRuntime<Fake>({
    maxInstances: 2,
    instanceWaitMs: 5_000,
    open: (_key, _ring, signal) => {
      signals.push(signal);
      return world.open();
    },
    collect: (connection, capabilities) => world.collect(connection, capabilities),
    async onListing(_key, listing, capabilities) {
      world.listings.push(listing);
      world.audiences.push(capabilities);
    },
    unavailable: (reason) => new Error(reason),
    startTimeoutMs: 60_000,
    log: silentLog,
  });
  return Object.assign(world, { runtime, use: () => runtime.use(key, async ({ number }) => number) });
};

export const FORMS = { elicitation: {} };
/** A call of whoever comes with this affinity. */
export const wantOf = (affinity: string) => ({
  capabilities: FORMS,
  affinity,
  party: affinity,
  owner: affinity,
  isAlone: true,
  signal: new AbortController().signal,
});
