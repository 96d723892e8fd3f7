import { randomBytes } from 'node:crypto';
import { hashToken } from '#lib/token';

export type StepStore = {
  /** False when there is one under this hash already. */
  put(hash: string, sealed: string, expiresAt: Date): Promise<boolean>;
  /** Takes it out, so that nobody gets it twice. */
  take(hash: string, now: Date): Promise<string | undefined>;
};

/** Where a sealed value belongs. */
type Place = { workspaceId: string; table: string; row: string; column: string };
export type Sealer = { seal(plaintext: string, place: Place): string; open(text: string, place: Place): string };

type Options = {
  store: StepStore;
  sealer: Sealer;
  /** Milliseconds since the epoch. */
  now(): number;
};

/** Whose step it is. */
export type At = { workspaceId: string; providerId: string };

export const STEP_MS = 10 * 60_000;

/** A value that nobody can guess: 256 bits. */
export const random = (): string => randomBytes(32).toString('base64url');

/** Short-lived steps of a sign-in: of one provider, sealed, found only by the secret they were put under, used once. */
export const createSteps = ({ store, sealer, now }: Options) => {
  const hashOf = ({ workspaceId, providerId }: At, secret: string) =>
    hashToken(JSON.stringify(['sso', workspaceId, providerId, secret]));
  const place = ({ workspaceId }: At, row: string): Place => ({
    workspaceId,
    table: 'sign_in_step',
    row,
    column: 'sealed',
  });

  return {
    async put(at: At, secret: string, step: object, ttlMs = STEP_MS): Promise<void> {
      const hash = hashOf(at, secret);
      const sealed = sealer.seal(JSON.stringify(step), place(at, hash));
      await store.put(hash, sealed, new Date(now() + ttlMs));
    },

    /** What was put, for its shape to be checked; undefined when it is not there, is another provider's or too old. */
    async take(at: At, secret: string): Promise<unknown> {
      const hash = hashOf(at, secret);
      const sealed = await store.take(hash, new Date(now()));
      return sealed === undefined ? undefined : JSON.parse(sealer.open(sealed, place(at, hash)));
    },

    /** True for the first who says so until then: what may be used once is used. */
    claim: (at: At, name: string, until: Date): Promise<boolean> => {
      const hash = hashOf(at, `claim ${name}`);
      return store.put(hash, sealer.seal('{}', place(at, hash)), until);
    },
  };
};

export type Steps = ReturnType<typeof createSteps>;
