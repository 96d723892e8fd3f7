import type { LaunchConfig } from '@peta/api';
import { and, eq } from 'drizzle-orm';
import type { JsonObject, Listing } from '#call';
import { inWorkspace, schema } from '../db/db.ts';
import { withDatabase } from '../db/unavailable.ts';
import type { Connection } from '../path/downstream/connection.ts';
import { ServerUnavailable } from '../path/downstream/errors.ts';
import { createEraMemory } from '../path/downstream/handshake.ts';
import { openConnection } from '../path/downstream/io/open.ts';
import { collectListing } from '../path/downstream/listing.ts';
import { createQuiet } from '../path/downstream/quiet.ts';
import { createWatching } from '../path/downstream/watching.ts';
import { startProcess } from '../runtime/io/process.ts';
import { createReaper } from '../runtime/io/reaper.ts';
import { createRuntime, type ServerKey } from '../runtime/runtime.ts';
import type { GatewayOptions } from './gateway.ts';

type Options = Pick<GatewayOptions, 'config' | 'db' | 'log' | 'product' | 'openConfig'> & {
  /** With `capabilities`, it is what the server lists to clients that declared these. */
  onListing(key: ServerKey, listing: Listing, capabilities: JsonObject | undefined): Promise<void>;
};

const LIST_TIMEOUT_MS = 30_000;

/** The servers that are reached and run, and what is known of them while they run. */
export const buildServers = ({ config, db, log, product, openConfig, onListing }: Options) => {
  const reaper = createReaper();
  const eras = createEraMemory();
  const quiet = createQuiet();
  const runtime = createRuntime<Connection>({
    async open({ workspaceId, serverId }, ring, signal, capabilities) {
      const [row] = await withDatabase(() =>
        inWorkspace(workspaceId, () =>
          db
            .select({ sealed: schema.servers.sealedLaunchConfig })
            .from(schema.servers)
            .where(and(eq(schema.servers.workspaceId, workspaceId), eq(schema.servers.id, serverId))),
        ),
      );
      if (!row) throw new ServerUnavailable('The server is not registered any more.');
      const spawn = (wanted: Extract<LaunchConfig, { type: 'stdio' }>) =>
        startProcess(wanted, { ring, reaper, inherit: config.PETA_STDIO_ENV });
      const startTimeoutMs = config.PETA_START_TIMEOUT_SECONDS * 1000;
      const launch = openConfig(workspaceId, serverId, row.sealed);
      const onStray = (method: string, params: JsonObject) => {
        if (method === 'notifications/message') ring.add('peta', `The server logged: ${JSON.stringify(params)}`);
        else if (!method.startsWith('notifications/'))
          ring.add('peta', `The server asked for ${method}, and nobody could be asked.`);
      };
      const onAmbiguous = () => quiet.surprised({ workspaceId, serverId });
      const clientCapabilities = capabilities as JsonObject | undefined;
      const notice = (sentence: string) => ring.add('peta', sentence);
      const about = { startTimeoutMs, product, eras, notice, clientCapabilities, onStray, onAmbiguous };
      return openConnection(launch, { spawn, signal, ...about });
    },
    onConnected: (key, connection) => void watching.connected(key, connection),
    collect: (connection, capabilities) =>
      collectListing(connection, LIST_TIMEOUT_MS, capabilities as JsonObject | undefined),
    onListing: (key, listing, capabilities) => onListing(key, listing, capabilities as JsonObject | undefined),
    unavailable: (reason) => new ServerUnavailable(reason),
    startTimeoutMs: config.PETA_START_TIMEOUT_SECONDS * 1000 + 1_000,
    maxInstances: config.PETA_MAX_INSTANCES,
    instanceWaitMs: config.PETA_CALL_TIMEOUT_SECONDS * 1000,
    log,
  });
  const watching = createWatching({ use: runtime.use });

  return {
    runtime,
    watching,
    quiet,
    async closeServers(): Promise<void> {
      await runtime.stopAll();
      reaper.close();
    },
  };
};
