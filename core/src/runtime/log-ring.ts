export type LogLine = { at: Date; source: 'stderr' | 'stdout' | 'peta'; text: string };

const MAX_LINES = 1_000;
const MAX_TEXT = 4_096;

/** The last lines of a server's output and of what Peta notes about it. */
export const createLogRing = (now: () => Date) => {
  const lines: LogLine[] = [];
  return {
    add(source: LogLine['source'], text: string): void {
      lines.push({ at: now(), source, text: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text });
      if (lines.length > MAX_LINES) lines.splice(0, lines.length - MAX_LINES);
    },
    last: (limit: number): LogLine[] => lines.slice(-limit),
  };
};

export type LogRing = ReturnType<typeof createLogRing>;
