const MINUTE_MS = 60_000;

/** Says yes `perMinute` times within a minute, and no after that until the minute is over. */
export const createQuota = (perMinute: number, now: () => number) => {
  let since = 0;
  let count = 0;
  return (): boolean => {
    if (now() - since >= MINUTE_MS) {
      since = now();
      count = 0;
    }
    count += 1;
    return count <= perMinute;
  };
};
