export type LogLine = { at: Date; source: 'stderr' | 'stdout' | 'peta'; text: string };

const MAX_LINES = 1_000;
const MAX_BYTES = 4_096;

/** The text as far as it fits into the bound, in UTF-8. */
const cut = (text: string): string => {
  if (text.length <= MAX_BYTES / 3 || Buffer.byteLength(text) <= MAX_BYTES) return text;
  // A character cut in two becomes U+FFFD at the end.
  const head = Buffer.from(text.slice(0, MAX_BYTES)).subarray(0, MAX_BYTES - 3);
  return `${head.toString('utf8').replace(/\uFFFD$/, '')}…`;
};

/** The last lines of a server's output and of what Peta notes about it. */
export const createLogRing = (now: () => Date) => {
  const lines: LogLine[] = [];
  return {
    add(source: LogLine['source'], text: string): void {
      lines.push({ at: now(), source, text: cut(text) });
      if (lines.length > MAX_LINES) lines.splice(0, lines.length - MAX_LINES);
    },
    last: (limit: number): LogLine[] => (limit > 0 ? lines.slice(-limit) : []),
  };
};

export type LogRing = ReturnType<typeof createLogRing>;
