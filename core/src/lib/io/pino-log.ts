import { pino } from 'pino';
import type { Log } from '../log.ts';

type Settings = { LOG_LEVEL: string; LOG_PRETTY: boolean };

const pretty = (line: string): string => {
  const { time, level, msg, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.keys(facts).length > 0 ? ` ${JSON.stringify(facts)}` : '';
  return `${String(time)} ${String(level).padEnd(5)} ${String(msg)}${rest}\n`;
};

/** Operational logs on standard error: JSON lines, or words for people. */
export const createLog = ({ LOG_LEVEL, LOG_PRETTY }: Settings): Log => {
  const destination = { write: (line: string) => void process.stderr.write(LOG_PRETTY ? pretty(line) : line) };
  const logger = pino(
    {
      level: LOG_LEVEL,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const say = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, facts?: object) =>
    logger[level](facts ?? {}, message);
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
};
