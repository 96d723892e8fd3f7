/** Resolves after `ms` milliseconds, or at once when `signal` aborts. */
export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal?.aborted) return done();
    const timer = setTimeout(finish, ms);
    function finish() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      done();
    }
    signal?.addEventListener('abort', finish);
  });

/** Resolves once the promise does, but after `ms` milliseconds at the latest. */
export const atMost = (ms: number, promise: Promise<unknown>): Promise<void> =>
  Promise.race([promise, new Promise((done) => setTimeout(done, ms).unref())]).then(() => undefined);

/** Doubles from `firstMs` to at most `maxMs`, less up to a quarter by chance, so that many do not retry in step. */
export const backoffMs = (attempt: number, firstMs: number, maxMs: number): number =>
  Math.min(maxMs, firstMs * 2 ** attempt) * (1 - Math.random() / 4);
