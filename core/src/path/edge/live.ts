import type { Admitted, Refused } from '#call';

type Digests = { readonly tools: string; readonly resources: string; readonly prompts: string };
export type ListKind = keyof Digests;

/** Something open that must follow its caller's permissions: a stream, or a call that runs. */
export type Live = {
  admitted: Admitted;
  /** The caller is not welcome any more, or Peta shuts down. */
  end(): void;
  /** For streams that tell of changes: which lists are not what they were. */
  onListChanged?(kinds: readonly ListKind[]): void;
};

type Entry = Live & { digests: Digests | undefined };

type Options = {
  readmit(admitted: Admitted): Promise<Admitted | Refused>;
  /** What the caller sees right now, without waiting for servers. */
  digests(admitted: Admitted): Digests;
};

const KINDS: readonly ListKind[] = ['tools', 'resources', 'prompts'];

/** Everything that is open, so that a change reaches it. */
export const createLive = ({ readmit, digests }: Options) => {
  const entries = new Set<Entry>();

  const recheck = async (entry: Entry): Promise<void> => {
    const admitted = await readmit(entry.admitted);
    if (!entries.has(entry)) return;
    if ('code' in admitted) {
      entries.delete(entry);
      return entry.end();
    }
    entry.admitted = admitted;
    if (!entry.digests) return;
    const before = entry.digests;
    const after = digests(admitted);
    entry.digests = after;
    const changed = KINDS.filter((kind) => before[kind] !== after[kind]);
    if (changed.length > 0) entry.onListChanged?.(changed);
  };

  return {
    /** `remove` takes it out again; `admitted` is its caller with the permissions of now. */
    add(live: Live): { remove(): void; admitted(): Admitted } {
      const entry: Entry = { ...live, digests: live.onListChanged ? digests(live.admitted) : undefined };
      entries.add(entry);
      // What changed between the door and here would otherwise never reach a stream.
      if (live.onListChanged) void recheck(entry).catch(() => {});
      return { remove: () => void entries.delete(entry), admitted: () => entry.admitted };
    },

    /** Looks again at everything open that `concerns` picks; rejects when somebody could not be looked up. */
    async recheck(concerns: (admitted: Admitted) => boolean): Promise<void> {
      await Promise.all([...entries].filter(({ admitted }) => concerns(admitted)).map(recheck));
    },

    /** Ends what would stay open for ever; calls that run go on. */
    endStreams(): void {
      for (const entry of entries)
        if (entry.onListChanged) {
          entries.delete(entry);
          entry.end();
        }
    },

    endAll(): void {
      for (const entry of entries) entry.end();
      entries.clear();
    },

    count: (): number => entries.size,
  };
};

export type LiveSet = ReturnType<typeof createLive>;
