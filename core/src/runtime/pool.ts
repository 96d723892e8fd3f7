/** What a pool needs of a connection. */
type Pooled = {
  onClosed(listener: () => void): void;
  notify(method: string, params: object): void;
  close(): Promise<void>;
};

/** What a call needs of a connection that is opened for clients like its own. */
export type Want = {
  /** What the server is told of the client; connections are shared among equal ones. */
  capabilities: object;
  /** Whoever comes again, preferably to the same connection. */
  affinity: string;
  /** Who may be on it at once, while something there may ask. */
  party: string;
  isAlone: boolean;
};

type Instance<C> = {
  group: string;
  connection: Promise<C>;
  /** The affinity that used it last. */
  affinity: string;
  /** It knows something of this affinity's, and is for it alone. */
  boundTo: string | undefined;
  /** Calls of this one party may ask now. */
  party: string | undefined;
  askers: number;
  users: number;
  idleTimer: NodeJS.Timeout | undefined;
};

type Options<C> = {
  open(capabilities: object): Promise<C>;
  /** At most so many connections at once. */
  max: number;
  idleMs: number;
  /** The error for a call that waited when the pool was closed. */
  closed(): Error;
};

/**
 * Further connections to one server, each told of clients with the same capabilities. While a call there may ask, no
 * other party's call that may ask is on the same connection; for these there are more connections, up to a bound, and
 * then they wait for each other.
 */
export const createPool = <C extends Pooled>({ open, max, idleMs, closed }: Options<C>) => {
  const instances = new Set<Instance<C>>();
  /** All of them look again whenever something became free. */
  const waiting: { resolve(): void; reject(error: Error): void }[] = [];

  const wake = (): void => {
    for (const { resolve } of waiting.splice(0)) resolve();
  };

  const drop = (instance: Instance<C>): void => {
    clearTimeout(instance.idleTimer);
    if (instances.delete(instance)) wake();
  };

  const close = async (instance: Instance<C>): Promise<void> => {
    drop(instance);
    await instance.connection.then((connection) => connection.close()).catch(() => {});
  };

  const begin = (group: string, { capabilities, affinity }: Want): Instance<C> => {
    const instance: Instance<C> = {
      group,
      connection: open(capabilities),
      affinity,
      boundTo: undefined,
      party: undefined,
      askers: 0,
      users: 0,
      idleTimer: undefined,
    };
    instances.add(instance);
    instance.connection.then(
      (connection) => connection.onClosed(() => drop(instance)),
      () => drop(instance),
    );
    return instance;
  };

  const isFree = (instance: Instance<C>, group: string, { affinity, party, isAlone }: Want): boolean => {
    if (instance.group !== group) return false;
    if (instance.boundTo !== undefined && instance.boundTo !== affinity) return false;
    return !isAlone || instance.party === undefined || instance.party === party;
  };

  /** One that is free, else a new one, if need be in the place of one that nobody uses. */
  const find = (group: string, want: Want): Instance<C> | undefined => {
    const free = [...instances].filter((instance) => isFree(instance, group, want));
    const found = free.find(({ affinity }) => affinity === want.affinity) ?? free[0];
    if (found) return found;
    const idle = instances.size >= max ? [...instances].find(({ users }) => users === 0) : undefined;
    if (idle) void close(idle);
    return instances.size < max ? begin(group, want) : undefined;
  };

  const enter = (instance: Instance<C>, { affinity, party, isAlone }: Want): void => {
    clearTimeout(instance.idleTimer);
    instance.users += 1;
    instance.affinity = affinity;
    if (!isAlone) return;
    instance.party = party;
    instance.askers += 1;
  };

  const leave = (instance: Instance<C>, { isAlone }: Want): void => {
    instance.users -= 1;
    if (isAlone) instance.askers -= 1;
    if (instance.askers === 0) instance.party = undefined;
    if (instance.users === 0) {
      instance.idleTimer = setTimeout(() => void close(instance), idleMs);
      instance.idleTimer.unref();
    }
    wake();
  };

  return {
    /** Lends a connection, opening one if need be. Rejects as `open` does, or when the pool is closed meanwhile. */
    async lend<T>(want: Want, run: (connection: C, bind: () => void) => Promise<T>): Promise<T> {
      const group = JSON.stringify(want.capabilities);
      let instance = find(group, want);
      while (!instance) {
        await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
        instance = find(group, want);
      }
      const lent = instance;
      enter(lent, want);
      try {
        return await run(await lent.connection, () => {
          lent.boundTo = want.affinity;
        });
      } finally {
        leave(lent, want);
      }
    },

    /** Tells the servers that know something of this affinity's. */
    tell(affinity: string, method: string): void {
      for (const { boundTo, connection } of instances)
        if (boundTo === affinity) connection.then((open) => open.notify(method, {})).catch(() => {});
    },

    /** Nobody comes again with this affinity. */
    forget(affinity: string): void {
      for (const instance of instances) if (instance.boundTo === affinity && instance.users === 0) void close(instance);
    },

    /** Closes what is open; calls that wait are turned away. The pool may be used again. */
    async closeAll(): Promise<void> {
      for (const { reject } of waiting.splice(0)) reject(closed());
      await Promise.all([...instances].map(close));
    },

    count: (): number => instances.size,
  };
};

export type Pool<C extends Pooled> = ReturnType<typeof createPool<C>>;
