import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { keyFor, openText, sealText } from '#lib/sealed';

export type StepStore = {
  /** Keeps something until it is taken; whatever was kept under the same hash is dropped. */
  put(hash: string, sealed: string, expiresAt: Date): Promise<void>;
  peek(hash: string, now: Date): Promise<string | undefined>;
  /** Takes it out: of many who try, one gets it. */
  take(hash: string, now: Date): Promise<string | undefined>;
  /** True for the first who marks it, false ever after. */
  mark(hash: string, expiresAt: Date): Promise<boolean>;
  sweep(now: Date): Promise<void>;
};

const CHALLENGE_MS = 5 * 60_000;

/** Steps of signing in that a browser carries from one page to the next, which it can neither read nor make up. */
export const createCarried = (key: Buffer, now: () => Date) => {
  const sealing = keyFor(key, 'steps of signing in');
  return {
    seal: (purpose: string, value: object, ttlMs: number): string =>
      sealText(sealing, JSON.stringify({ value, until: now().getTime() + ttlMs }), purpose),
    open(purpose: string, sealed: string | undefined): unknown {
      const text = sealed === undefined ? undefined : openText(sealing, sealed, purpose);
      if (text === undefined) return undefined;
      const { value, until } = JSON.parse(text) as { value: unknown; until: number };
      return until > now().getTime() ? value : undefined;
    },
  };
};

export type Carried = ReturnType<typeof createCarried>;

/** Challenges for passkeys that nothing is kept of until one has been answered; each is good once. */
export const createChallenges = (key: Buffer, store: Pick<StepStore, 'mark'>, now: () => Date) => {
  const mac = (purpose: string, body: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify(['challenge', purpose, body]))
      .digest('base64url');
  return {
    create(purpose: string): string {
      const body = `${randomBytes(16).toString('base64url')}.${now().getTime() + CHALLENGE_MS}`;
      return Buffer.from(`${body}.${mac(purpose, body)}`).toString('base64url');
    },
    isOurs(purpose: string, challenge: string): boolean {
      const [nonce = '', until = '', proof = ''] = Buffer.from(challenge, 'base64url').toString().split('.');
      const expected = Buffer.from(mac(purpose, `${nonce}.${until}`));
      const given = Buffer.from(proof);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
      return Number(until) > now().getTime();
    },
    /** True once. */
    use: (challenge: string): Promise<boolean> =>
      store.mark(createHmac('sha256', key).update(challenge).digest('hex'), new Date(now().getTime() + CHALLENGE_MS)),
  };
};

export type Challenges = ReturnType<typeof createChallenges>;
