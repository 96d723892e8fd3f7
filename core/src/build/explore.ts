import { LRUCache } from 'lru-cache';
import type { ClientKind, JsonObject, ServerRecord } from '#call';
import { type Log, sentenceOf } from '../lib/log.ts';
import { atMost } from '../lib/sleep.ts';
import { kindsOf } from '../path/catalog/kinds.ts';
import type { ServerKey } from '../runtime/runtime.ts';

type Options = {
  /** Has the server say what it lists to clients with these capabilities. */
  ask(key: ServerKey, clientCapabilities: JsonObject): Promise<void>;
  /** Has it been heard since what such clients are listed? */
  isExplored(server: ServerRecord, kinds: readonly ClientKind[]): boolean;
  /** How long it is waited for. */
  waitMs: number;
  now(): number;
  log: Log;
};

/** How long a server is left alone that could not say it. */
const RETRY_MS = 60_000;
const MAX_KEPT = 10_000;

/** Finds out what servers offer to clients that can be asked, when the first such client comes. */
export const createExplorer = ({ ask, isExplored, waitMs, now, log }: Options) => {
  /** By whom is asked for what, from when it was begun on. */
  const underWay = new Map<string, Promise<void>>();
  /** Until when whom is left alone. */
  const failed = new LRUCache<string, number>({ max: MAX_KEPT });

  const explore = async (server: ServerRecord, capabilities: JsonObject, name: string): Promise<void> => {
    const key = { workspaceId: server.workspaceId, serverId: server.serverId };
    const fault = await ask(key, capabilities).then(() => undefined, sentenceOf);
    underWay.delete(name);
    if (isExplored(server, kindsOf(capabilities))) return;
    failed.set(name, now() + RETRY_MS);
    const reason = fault ?? 'Its lists could not be had.';
    log.warn('What a server offers to clients that can be asked is not known', { ...key, reason });
  };

  /** Resolves once it is known, could not be found out, or has taken so long that it is not waited for any more. */
  return async (servers: readonly ServerRecord[], capabilities: JsonObject): Promise<void> => {
    await Promise.all(
      servers.map((server) => {
        const name = JSON.stringify([server.workspaceId, server.serverId, server.revision, kindsOf(capabilities)]);
        if ((failed.get(name) ?? 0) > now()) return undefined;
        const pending = underWay.get(name) ?? atMost(waitMs, explore(server, capabilities, name));
        underWay.set(name, pending);
        return pending;
      }),
    );
  };
};
