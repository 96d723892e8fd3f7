import type { LaunchConfig } from '@peta/api';
import type { JsonObject } from '#call';
import { type Connection, type ConnectOptions, connect } from '../connection.ts';
import type { EraMemory } from '../handshake.ts';
import type { Way } from '../tap.ts';
import { createHttpTransport, createSseTransport } from './http.ts';
import { type Child, createStdioTransport } from './stdio.ts';

type StdioConfig = Extract<LaunchConfig, { type: 'stdio' }>;

type Options = {
  startTimeoutMs: number;
  product: { name: string; version: string };
  /** Starts a process for a stdio server. Rejects with a sentence when it cannot. */
  spawn(config: StdioConfig): Promise<Child>;
  /** What is remembered of servers by their launch configuration: see `createEraMemory`. */
  eras?: ((config: LaunchConfig) => EraMemory) | undefined;
  /** Told, in a sentence, what an administrator should know of the server. */
  notice?: ((sentence: string) => void) | undefined;
  /** Ends a start that is under way, and what it has started. */
  signal?: AbortSignal | undefined;
  clientCapabilities?: JsonObject | undefined;
  onStray?: ConnectOptions['onStray'];
  onAmbiguous?: ConnectOptions['onAmbiguous'];
};

const openTransport = async (config: LaunchConfig, spawn: Options['spawn']): Promise<Way> => {
  switch (config.type) {
    case 'stdio':
      return createStdioTransport(await spawn(config));
    case 'http':
      return createHttpTransport(config);
    case 'sse':
      return createSseTransport(config);
  }
};

/** Connects to a server as its launch configuration says. Rejects with a sentence that repeats nothing of it. */
export const openConnection = (
  config: LaunchConfig,
  { spawn, startTimeoutMs, product, eras, notice, signal, clientCapabilities, onStray, onAmbiguous }: Options,
): Promise<Connection> =>
  connect({
    open: () => openTransport(config, spawn),
    // HTTP+SSE belongs to the sessionful revisions alone.
    protocol: config.type === 'sse' ? 'legacy' : config.mcpProtocol,
    startTimeoutMs,
    product,
    memory: eras?.(config),
    notice,
    signal,
    clientCapabilities,
    onStray,
    onAmbiguous,
  });
