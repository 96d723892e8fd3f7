import { randomUUID } from 'node:crypto';
import { newSecret } from '#lib/token';

/** Somebody signed in with a browser. */
export type SignedIn = { signInId: string; workspaceId: string; userId: string; at: Date; methods: string[] };

/** What is kept of a sign-in. */
export type SignInRecord = SignedIn & {
  /** The identity provider that vouched for them. */
  providerId: string | null;
  address: string;
  userAgent: string;
  lastSeenAt: Date;
  expiresAt: Date;
};

/** Whose sign-ins, or which one. */
export type Which =
  | { signInId: string }
  | { workspaceId: string; userId: string; except?: string | undefined }
  /** Those whose time is over. */
  | { endedBy: Date; unseenSince: Date };

export type SignInStore = {
  add(record: SignInRecord, hash: string): Promise<void>;
  /** `isWelcome`: the person is enabled, and their time has not ended by `now`. */
  find(
    by: { hash: string } | { signInId: string },
    now: Date,
  ): Promise<(SignInRecord & { isWelcome: boolean }) | undefined>;
  list(workspaceId: string, userId: string | undefined): Promise<SignInRecord[]>;
  seen(signInId: string, at: Date): Promise<void>;
  /** Returns what was removed. */
  remove(which: Which): Promise<Pick<SignInRecord, 'signInId' | 'workspaceId'>[]>;
};

type Options = {
  store: SignInStore;
  now(): Date;
  /** Tells every replica that a sign-in has ended. */
  ended(workspaceId: string, signInId: string): Promise<void>;
};

export const IDLE_MS = 12 * 3_600_000;
const LIFETIME_MS = 7 * 86_400_000;
const SEEN_EVERY_MS = 60_000;
const MAX_USER_AGENT = 300;

/** The sign-ins of browsers: made anew each time, kept as a hash, ended by time, by their people and by administrators. */
export const createSignIns = ({ store, now, ended }: Options) => {
  const unseenSince = () => new Date(now().getTime() - IDLE_MS);
  const isOver = ({ expiresAt, lastSeenAt }: SignInRecord): boolean =>
    expiresAt <= now() || lastSeenAt <= unseenSince();

  const end = async (which: Which): Promise<number> => {
    const removed = await store.remove(which);
    for (const { workspaceId, signInId } of removed) await ended(workspaceId, signInId);
    return removed.length;
  };

  return {
    /** A new sign-in and the secret for its cookie, which is in no other place. */
    async begin(
      who: Omit<SignedIn, 'signInId' | 'at'> & { providerId?: string | undefined; address: string; userAgent: string },
    ) {
      const { secret, hash } = newSecret('petasignin_');
      const at = now();
      const { workspaceId, userId, methods, providerId, address, userAgent } = who;
      const signedIn: SignedIn = { signInId: randomUUID(), workspaceId, userId, at, methods };
      const expiresAt = new Date(at.getTime() + LIFETIME_MS);
      const kept = { providerId: providerId ?? null, address, userAgent: userAgent.slice(0, MAX_USER_AGENT) };
      await store.add({ ...signedIn, ...kept, lastSeenAt: at, expiresAt }, hash);
      return { signedIn, secret };
    },

    /** Whose cookie this is; undefined for one that never was, is over, or whose person is not welcome any more. */
    async current(hash: string): Promise<SignInRecord | undefined> {
      const found = await store.find({ hash }, now());
      if (!found) return undefined;
      const { isWelcome, ...record } = found;
      if (isOver(record) || !isWelcome) {
        await end({ signInId: record.signInId });
        return undefined;
      }
      if (now().getTime() - record.lastSeenAt.getTime() > SEEN_EVERY_MS) await store.seen(record.signInId, now());
      return record;
    },

    /** Those that go on, newest first. */
    list: async (workspaceId: string, userId?: string): Promise<SignInRecord[]> =>
      (await store.list(workspaceId, userId)).filter((record) => !isOver(record)),

    find: async (signInId: string): Promise<SignInRecord | undefined> => {
      const found = await store.find({ signInId }, now());
      return found && !isOver(found) ? found : undefined;
    },

    /** Ends one, or all of a person but one; returns how many. */
    end,

    /** Forgets those whose time is over. */
    sweep: () => end({ endedBy: now(), unseenSince: unseenSince() }),
  };
};

export type SignIns = ReturnType<typeof createSignIns>;
