import { SSEClientTransport, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import type { LaunchConfig } from '@peta/api';
import { type Connection, connect } from '../connection.ts';
import { type Child, createStdioTransport } from './stdio.ts';

type StdioConfig = Extract<LaunchConfig, { type: 'stdio' }>;

type Options = {
  startTimeoutMs: number;
  product: { name: string; version: string };
  /** Starts a process for a stdio server. Rejects with a sentence when it cannot. */
  spawn(config: StdioConfig): Promise<Child>;
};

const openTransport = async (config: LaunchConfig, spawn: Options['spawn']): Promise<Transport> => {
  switch (config.type) {
    case 'stdio':
      return createStdioTransport(await spawn(config));
    case 'http':
      return new StreamableHTTPClientTransport(new URL(config.url), { requestInit: { headers: config.headers } });
    case 'sse':
      return new SSEClientTransport(new URL(config.url), { requestInit: { headers: config.headers } });
  }
};

/** Connects to a server as its launch configuration says. */
export const openConnection = (
  config: LaunchConfig,
  { spawn, startTimeoutMs, product }: Options,
): Promise<Connection> =>
  connect({
    open: () => openTransport(config, spawn),
    // HTTP+SSE belongs to the sessionful revisions alone.
    protocol: config.type === 'sse' ? 'legacy' : config.mcpProtocol,
    startTimeoutMs,
    product,
  });
