import type { JsonObject } from '#call';

/** RFC 5424 severities as MCP names them, the most verbose first. */
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/**
 * Keeps a server as talkative as its most curious caller wants, by `logging/setLevel`; what others do not want to hear
 * is dropped on its way to them. Without `request` there is nothing to set.
 */
export const createLogLevel = (request: ((method: string, params: JsonObject) => Promise<unknown>) | undefined) => {
  let current = LEVELS.length;
  let set: Promise<unknown> = Promise.resolve();

  return {
    /** Resolves once the server sends lines of this level; a server that refuses is let be. */
    async atLeast(level: string | undefined): Promise<void> {
      const wanted = level === undefined ? -1 : LEVELS.indexOf(level);
      if (!request || wanted < 0) return;
      if (wanted < current) {
        current = wanted;
        set = set.then(() => request('logging/setLevel', { level })).catch(() => {});
      }
      await set;
    },
  };
};
