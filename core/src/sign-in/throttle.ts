import { createHash } from 'node:crypto';
import { networkOf } from '#lib/network';
import type { PersonKey } from './people.ts';

/** Tries that fail are counted under a key; after the free ones each must wait, twice as long as the one before. */
export type Gate = { key: string; free: number; capMs: number };
export type Counted = { count: number; lastAt: Date };

export type FailureStore = {
  /** Counts one try on every gate, or on none when one of them is shut; returns how long that one stays shut, else 0. */
  take(gates: readonly Gate[], now: Date): Promise<number>;
  /** Takes back one try on each. */
  giveBack(keys: readonly string[]): Promise<void>;
  forget(keys: readonly string[]): Promise<void>;
  /** Writes down that somebody got in, and tells whether they ever did. */
  remember(key: string, now: Date): Promise<void>;
  isKnown(key: string): Promise<boolean>;
  sweep(before: Date): Promise<void>;
};

const MINUTE_MS = 60_000;
const FIRST_WAIT_MS = 1_000;
/** What failed longer ago is forgotten. */
export const WINDOW_MS = 24 * 60 * MINUTE_MS;

/** How long after the last failure the next try may come. */
export const waitOf = ({ count, lastAt }: Counted, { free, capMs }: Gate, now: Date): number => {
  const since = now.getTime() - lastAt.getTime();
  if (count < free || since >= WINDOW_MS) return 0;
  return Math.max(0, Math.min(capMs, FIRST_WAIT_MS * 2 ** Math.min(count - free, 30)) - since);
};

const keyOf = (...parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

export type Tried = {
  /** `password` or `code`: each has gates of its own. */
  what: 'password' | 'code';
  workspaceId: string;
  /** Whoever has this name; what was typed where nobody has it. */
  account: string;
  address: string;
  /** The browser's own id, where this person has signed in with it before. */
  browserId: string | undefined;
};

/**
 * Slows down guessing without handing anybody the key to somebody else's door. A browser in which the person has signed
 * in before has a gate to itself; so, beside the general one of the account, has a network they signed in from.
 */
export const createThrottle = (store: FailureStore, now: () => Date) => {
  const keysOf = ({ what, workspaceId, account, address, browserId }: Tried) => {
    const network = networkOf(address);
    return {
      browser: keyOf('browser', what, workspaceId, account, browserId ?? ''),
      pair: keyOf('pair', what, workspaceId, account, network),
      network: keyOf('network', what, network),
      account: keyOf('account', what, workspaceId, account),
      known: keyOf('known', workspaceId, account, network),
    };
  };

  const gatesOf = async (tried: Tried): Promise<Gate[]> => {
    const keys = keysOf(tried);
    if (tried.browserId !== undefined) return [{ key: keys.browser, free: 10, capMs: 15 * MINUTE_MS }];
    const pair = { key: keys.pair, free: 5, capMs: 15 * MINUTE_MS };
    // Many people share a network, and a proxy may make all of them share one: it is slowed down, and never shut for long.
    const network = { key: keys.network, free: 50, capMs: 10_000 };
    if (await store.isKnown(keys.known)) return [pair, network];
    return [pair, network, { key: keys.account, free: 20, capMs: 15 * MINUTE_MS }];
  };

  return {
    /** Counts the try before it is looked at, so that many at once are as many; `waitMs` when it may not be made yet. */
    async begin(tried: Tried): Promise<{ waitMs: number; succeeded(): Promise<void> }> {
      const gates = await gatesOf(tried);
      const keys = keysOf(tried);
      return {
        waitMs: await store.take(gates, now()),
        async succeeded() {
          const own = [keys.browser, keys.pair];
          await store.forget(own);
          await store.giveBack(gates.map(({ key }) => key).filter((key) => !own.includes(key)));
        },
      };
    },

    /** This person is signed in from here. */
    async remember({ workspaceId, userId }: PersonKey, address: string): Promise<void> {
      await store.remember(keyOf('known', workspaceId, userId, networkOf(address)), now());
    },
  };
};

export type Throttle = ReturnType<typeof createThrottle>;
