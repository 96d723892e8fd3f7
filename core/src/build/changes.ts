import type { Admitted } from '#call';
import type { Bus, Change } from '../cluster/bus.ts';
import type { Mail } from '../cluster/io/postgres-mail.ts';
import { acrossWorkspaces } from '../db/db.ts';
import { type Log, sentenceOf } from '../lib/log.ts';
import { sleep } from '../lib/sleep.ts';
import type { Endpoints } from '../path/catalog/endpoints.ts';
import type { Registry } from '../path/catalog/registry.ts';
import type { Connection } from '../path/downstream/connection.ts';
import type { Quiet } from '../path/downstream/quiet.ts';
import type { LiveSet } from '../path/edge/live.ts';
import type { Identity } from '../path/identity/identity.ts';
import type { Runtime } from '../runtime/runtime.ts';

type Parts = {
  bus: Bus;
  /** What is kept of the session of this hash has changed, or it has ended. */
  sessionChanged(hash: string): Promise<void>;
  /** A workspace may be gone, and its sessions with it. */
  workspaceChanged(workspaceId: string): Promise<void>;
  /** A client cancelled a request of the session of this hash; its id is JSON. */
  cancelled(hash: string, requestId: string): void;
  mail: Pick<Mail, 'arrived' | 'fetch'>;
  registry: Registry;
  endpoints: Endpoints;
  runtime: Runtime<Connection>;
  identity: Identity;
  live: LiveSet;
  quiet: Pick<Quiet, 'forget'>;
  log: Log;
};

const RETRY_MS = 1_000;

/** Carries a change to everything that remembers: callers, servers, what is open. */
export const followChanges = (parts: Parts) => {
  const {
    bus,
    mail,
    sessionChanged,
    workspaceChanged,
    cancelled,
    registry,
    endpoints,
    runtime,
    identity,
    live,
    quiet,
    log,
  } = parts;
  const closing = new AbortController();

  /** Does it until it could be done: nobody keeps what was taken from them because the database was away. */
  const untilDone = async (what: string, run: () => Promise<void>): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        return await run();
      } catch (error) {
        log.warn(`${what} failed and is tried again`, { reason: sentenceOf(error) });
        await sleep(RETRY_MS, closing.signal);
      }
    }
  };

  const recheck = (concerns: (admitted: Admitted) => boolean): Promise<void> =>
    untilDone('Checking open sessions after a change', () => live.recheck(concerns));

  const serverChanged = async (workspaceId: string, serverId: string): Promise<void> => {
    const key = { workspaceId, serverId };
    const before = registry.server(workspaceId, serverId);
    await untilDone('Reading a server after a change', async () => void (await registry.reload(workspaceId, serverId)));
    const after = registry.server(workspaceId, serverId);
    const isOther = before !== undefined && before.revision !== after?.revision;
    if (isOther) quiet.forget(key);
    if (!after) return runtime.remove(key);
    if (!after.enabled) return runtime.stop(key);
    if (isOther || before?.enabled === false) await runtime.rest(key);
    if (!before || isOther || !before.enabled) void runtime.listed(key);
  };

  const serverAdded = async (workspaceId: string, serverId: string): Promise<void> => {
    if (registry.server(workspaceId, serverId)) return;
    const offer = await registry.reload(workspaceId, serverId);
    if (offer?.server.enabled) void runtime.listed({ workspaceId, serverId });
  };

  const apply = async ({ topic, workspaceId, id }: Change): Promise<void> => {
    const ofWorkspace = ({ caller }: Admitted) => caller.workspaceId === workspaceId;
    switch (topic) {
      case 'user':
        identity.forget({ userId: id });
        return recheck(
          (admitted) =>
            ofWorkspace(admitted) && (admitted.caller.userId === id || admitted.caller.owner?.userId === id),
        );
      case 'token':
        identity.forget({ tokenId: id });
        return recheck(({ caller }) => caller.tokenId === id);
      case 'server':
        await serverChanged(workspaceId, id);
        return recheck(ofWorkspace);
      case 'endpoint':
        await untilDone('Reading an endpoint after a change', () => endpoints.reload(workspaceId, id));
        return recheck(ofWorkspace);
      case 'workspace':
        identity.forget({ workspaceId });
        for (const { server } of registry.all(workspaceId)) await serverChanged(workspaceId, server.serverId);
        await untilDone('Reading all endpoints after a workspace changed', endpoints.load);
        await untilDone('Reading sessions after a workspace changed', () => workspaceChanged(workspaceId));
        return recheck(ofWorkspace);
      case 'listing':
        return recheck(ofWorkspace);
      case 'session':
        return sessionChanged(id);
      case 'cancel':
        return cancelled(workspaceId, id);
      case 'mail':
        return untilDone('Reading a message of another process', () => mail.arrived(workspaceId, id));
      case 'gateway':
        return;
    }
  };

  const applyAll = async (): Promise<void> => {
    identity.forget('all');
    await untilDone('Reading messages of other processes after a break', mail.fetch);
    const before = registry.everything();
    await untilDone('Reading all servers after a break', registry.load);
    for (const { server } of before)
      if (!registry.server(server.workspaceId, server.serverId)) await runtime.remove(server);
    await untilDone('Reading all endpoints after a break', endpoints.load);
    await recheck(() => true);
  };

  const unsubscribe = bus.subscribe((change) => {
    const done = acrossWorkspaces(() => (change === 'missed' ? applyAll() : apply(change)));
    done.catch((error: unknown) => log.error('A change could not be followed', { reason: sentenceOf(error) }));
  });

  return {
    /** Tells every replica. A change is over once the bus has it; it is followed everywhere within moments. */
    async publish(change: Change): Promise<void> {
      // So that an address, or a new server, works here as soon as it is told of.
      if (change.topic === 'endpoint') await endpoints.reload(change.workspaceId, change.id).catch(() => {});
      if (change.topic === 'server') await serverAdded(change.workspaceId, change.id).catch(() => {});
      await bus.publish(change);
    },
    close(): void {
      closing.abort();
      unsubscribe();
    },
  };
};
