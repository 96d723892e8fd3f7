import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Unavailable } from '#lib/unavailable';

/** OWASP's current choice for argon2id, which is what the package hashes with: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hashing takes a thread of the few there are: so many at once, and so many may wait. */
const AT_ONCE = 2;
const MAX_WAITING = 40;

/** Hashes and verifies passwords, never so many at once that nothing else is done. */
export const createHasher = () => {
  let running = 0;
  const waiting: (() => void)[] = [];
  const dummy = hash(randomBytes(32), COST);
  dummy.catch(() => {});

  const inTurn = async <T>(run: () => Promise<T>): Promise<T> => {
    if (running >= AT_ONCE) {
      if (waiting.length >= MAX_WAITING)
        throw new Unavailable('Too many people sign in at this moment. Try again in a few seconds.');
      await new Promise<void>((go) => waiting.push(go));
    } else running += 1;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };

  return {
    hash: (password: string): Promise<string> => inTurn(() => hash(password.normalize('NFKC'), COST)),

    /** Takes as long for nobody's password (null) as for anybody's. */
    verify: (kept: string | null, password: string): Promise<boolean> =>
      inTurn(async () => {
        const isRight = await verify(kept ?? (await dummy), password.normalize('NFKC'));
        return isRight && kept !== null;
      }),
  };
};
