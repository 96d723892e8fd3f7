import { z } from 'zod';
import type { JsonObject } from '#call';

/** RFC 5424 severities as MCP names them, the most verbose first. */
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;

export const LogLevel = z.enum(LEVELS);
export type LogLevel = z.output<typeof LogLevel>;

/** Is a log line at least as severe as wanted? A line of no known level always is. */
export const isWanted = (least: LogLevel, { level }: JsonObject): boolean => {
  const known = LogLevel.safeParse(level);
  return !known.success || LEVELS.indexOf(known.data) >= LEVELS.indexOf(least);
};
