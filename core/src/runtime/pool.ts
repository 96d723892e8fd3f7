/** What a pool needs of a connection. */
type Pooled = {
  onClosed(listener: () => void): void;
  close(): Promise<void>;
};

/** What a call needs of a connection that is opened for clients like its own. */
export type Want = {
  /** What the server is told of the client; connections are shared among equal ones. */
  capabilities: object;
  /** Whoever comes again, preferably to the same connection. */
  affinity: string;
  /** Whose call it is. */
  party: string;
  /** Whose it counts as where connections are scarce: a person, or everybody without a name. */
  owner: string;
  /** The call may ask, so that nobody else's may be on the connection meanwhile. */
  isAlone: boolean;
  /** What is opened for it is closed after it. */
  isOnce?: boolean;
  /** Whoever leaves waits no more. */
  signal: AbortSignal;
};

type Instance<C> = {
  group: string;
  connection: Promise<C>;
  /** The affinity that used it last. */
  affinity: string;
  owner: string;
  /** It knows something of this affinity's, and is for it alone. */
  boundTo: string | undefined;
  /** How many calls of each party are on it. */
  parties: Map<string, number>;
  /** How many of these may ask; while there are any, all calls are of one party. */
  askers: number;
  /** Whoever it was for does not come again: it is closed as soon as nobody uses it. */
  isForgotten: boolean;
  /** How many want it to stay open, whoever uses it. */
  keepers: number;
  idleTimer: NodeJS.Timeout | undefined;
};

/** What a call may do with the connection that it was lent. */
export type Hold = {
  /** From now on the connection is for whoever came with this affinity alone. */
  bind(): void;
  /** From now on the connection stays open, also when nobody uses it, until the returned function is called. */
  keep(): () => void;
};
/** For a connection that stays open anyway, and serves everybody. */
export const NO_HOLD: Hold = { bind: () => {}, keep: () => () => {} };

type Waiting<C> = { want: Want; resolve(instance: Instance<C>): void; reject(error: unknown): void };

type Options<C> = {
  open(capabilities: object): Promise<C>;
  /** At most so many connections at once. */
  max: number;
  idleMs: number;
  /** How long a call waits for its turn. */
  waitMs: number;
  /** The error for a call that waited in vain, and for one that waited when the pool was closed. */
  late(): Error;
  closed(): Error;
};

const groupOf = ({ capabilities }: Want): string => JSON.stringify(capabilities);

/**
 * Further connections to one server, each told of clients with the same capabilities. While a call there may ask, nobody
 * else's call is on the same connection; for these there are more connections, up to a bound, and then they wait their
 * turn. Calls that ask nothing share.
 */
export const createPool = <C extends Pooled>({ open, max, idleMs, waitMs, late, closed }: Options<C>) => {
  const instances = new Set<Instance<C>>();
  /** Who waits, the longest first. */
  const waiting = new Set<Waiting<C>>();

  const drop = (instance: Instance<C>): void => {
    clearTimeout(instance.idleTimer);
    if (instances.delete(instance)) seatWaiting();
  };

  const close = async (instance: Instance<C>): Promise<void> => {
    drop(instance);
    await instance.connection.then((connection) => connection.close()).catch(() => {});
  };

  const begin = (want: Want): Instance<C> => {
    const instance: Instance<C> = {
      group: groupOf(want),
      connection: open(want.capabilities),
      affinity: want.affinity,
      owner: want.owner,
      boundTo: undefined,
      parties: new Map(),
      askers: 0,
      isForgotten: want.isOnce ?? false,
      keepers: 0,
      idleTimer: undefined,
    };
    instances.add(instance);
    instance.connection.then(
      (connection) => connection.onClosed(() => drop(instance)),
      () => drop(instance),
    );
    return instance;
  };

  /** Those who share would otherwise keep somebody who waits for a connection of their own waiting for ever. */
  const mayJoin = (group: string): boolean =>
    [...instances].some(({ askers }) => askers > 0) ||
    ![...waiting].some(({ want }) => want.isAlone || groupOf(want) !== group);

  const isFree = (instance: Instance<C>, want: Want): boolean => {
    const { group, boundTo, parties, askers } = instance;
    if (group !== groupOf(want) || (boundTo !== undefined && boundTo !== want.affinity)) return false;
    const isOwn = [...parties.keys()].every((party) => party === want.party);
    return isOwn || (!want.isAlone && askers === 0 && mayJoin(group));
  };

  /** The same as last time, else one that others share already, else any. */
  const pick = (free: readonly Instance<C>[], { affinity, isAlone }: Want): Instance<C> | undefined =>
    free.find((instance) => instance.affinity === affinity) ??
    (isAlone ? undefined : free.find(({ parties }) => parties.size > 0)) ??
    free[0];

  /** People who let questions wait would otherwise keep everybody else from being asked. */
  const mayTakeOne = ({ owner }: Want): boolean => {
    const taken = [...instances].filter((instance) => instance.owner === owner && instance.askers > 0);
    return taken.length < Math.max(1, Math.floor(max / 2));
  };

  /** One that is free, else a new one, if need be in the place of one that nobody uses. */
  const find = (want: Want): Instance<C> | undefined => {
    const free = [...instances].filter((instance) => isFree(instance, want));
    const own = free.filter(({ parties }) => parties.has(want.party));
    if (want.isAlone && own.length === 0 && !mayTakeOne(want)) return undefined;
    const found = pick(own.length > 0 ? own : free, want);
    if (found) return found;
    const idle = [...instances].filter(({ parties, keepers }) => parties.size === 0 && keepers === 0);
    if (instances.size < max) return begin(want);
    const replaced = idle.find(({ boundTo }) => boundTo === undefined) ?? idle[0];
    if (!replaced) return undefined;
    instances.delete(replaced);
    void close(replaced);
    return begin(want);
  };

  const enter = (instance: Instance<C>, { affinity, owner, party, isAlone }: Want): void => {
    clearTimeout(instance.idleTimer);
    instance.affinity = affinity;
    instance.owner = owner;
    instance.parties.set(party, (instance.parties.get(party) ?? 0) + 1);
    if (isAlone) instance.askers += 1;
  };

  /** Closes what nobody uses, at once or in a while. */
  const rest = (instance: Instance<C>): void => {
    if (instance.parties.size > 0 || instance.keepers > 0 || !instances.has(instance)) return;
    if (instance.isForgotten) return void close(instance);
    instance.idleTimer = setTimeout(() => void close(instance), idleMs);
    instance.idleTimer.unref();
  };

  const leave = (instance: Instance<C>, { party, isAlone }: Want): void => {
    const left = (instance.parties.get(party) ?? 1) - 1;
    if (left > 0) instance.parties.set(party, left);
    else instance.parties.delete(party);
    if (isAlone) instance.askers -= 1;
    rest(instance);
    seatWaiting();
  };

  const keep = (instance: Instance<C>): (() => void) => {
    instance.keepers += 1;
    clearTimeout(instance.idleTimer);
    let isKept = true;
    return () => {
      if (!isKept) return;
      isKept = false;
      instance.keepers -= 1;
      rest(instance);
      seatWaiting();
    };
  };

  /** In the order in which they came; those behind one who still waits are not held up. */
  function seatWaiting(): void {
    for (const waiter of waiting) {
      const instance = find(waiter.want);
      if (!instance) continue;
      waiting.delete(waiter);
      enter(instance, waiter.want);
      waiter.resolve(instance);
    }
  }

  const wait = (want: Want): Promise<Instance<C>> =>
    new Promise<Instance<C>>((resolve, reject) => {
      const waiter: Waiting<C> = { want, resolve: (instance) => end(() => resolve(instance)), reject: fail };
      const end = (settle: () => void) => {
        waiting.delete(waiter);
        clearTimeout(timer);
        want.signal.removeEventListener('abort', gone);
        settle();
      };
      function fail(error: unknown): void {
        end(() => reject(error));
      }
      const gone = () => fail(want.signal.reason);
      const timer = setTimeout(() => fail(late()), waitMs);
      want.signal.addEventListener('abort', gone);
      waiting.add(waiter);
    });

  const seat = (want: Want): Instance<C> | Promise<Instance<C>> => {
    want.signal.throwIfAborted();
    const instance = find(want);
    if (!instance) return wait(want);
    enter(instance, want);
    return instance;
  };

  return {
    /** Lends a connection, opening one if need be. Rejects as `open` does, when it is late, closed, or the signal aborts. */
    async lend<T>(want: Want, run: (connection: C, hold: Hold) => Promise<T>): Promise<T> {
      const lent = await seat(want);
      const bind = () => {
        lent.boundTo = want.affinity;
      };
      try {
        return await run(await lent.connection, { bind, keep: () => keep(lent) });
      } finally {
        leave(lent, want);
      }
    },

    /** Hands over the connections that know something of this affinity's. */
    tell(affinity: string, run: (connection: C) => void): void {
      for (const { boundTo, connection } of instances) if (boundTo === affinity) connection.then(run).catch(() => {});
    },

    /** Nobody comes again with this affinity. */
    forget(affinity: string): void {
      for (const instance of instances) {
        if (instance.boundTo !== affinity) continue;
        instance.isForgotten = true;
        rest(instance);
      }
    },

    /** Closes what is open; calls that wait are turned away. The pool may be used again. */
    async closeAll(): Promise<void> {
      for (const { reject } of [...waiting]) reject(closed());
      await Promise.all([...instances].map(close));
    },

    count: (): number => instances.size,
    waiting: (): number => waiting.size,
  };
};

export type Pool<C extends Pooled> = ReturnType<typeof createPool<C>>;
