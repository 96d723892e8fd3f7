import type { Readable, Writable } from 'node:stream';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { ServerUnavailable } from '../errors.ts';

/** A server process that runs, whoever started it. */
export type Child = {
  stdin: Writable;
  stdout: Readable;
  pid: number | undefined;
  /** Resolves with a sentence once it has ended. */
  exited: Promise<string>;
  stop(): Promise<void>;
  /** Something it wrote to standard output that is no message. */
  noise(line: string): void;
};

const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

/** Splits a stream into lines; a line over the bound ends it. */
const readLines = (stream: Readable, onLine: (line: string) => void, onTooLong: () => void): void => {
  let parts: Buffer[] = [];
  let size = 0;
  let isOver = false;
  stream.on('data', (chunk: Buffer) => {
    let rest = chunk;
    for (let at = rest.indexOf(NEWLINE); at >= 0 && !isOver; at = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...parts, rest.subarray(0, at)]).toString('utf8');
      parts = [];
      size = 0;
      rest = rest.subarray(at + 1);
      if (line.trim() !== '') onLine(line);
    }
    if (isOver) return;
    parts.push(rest);
    size += rest.length;
    if (size <= MAX_LINE_BYTES) return;
    isOver = true;
    parts = [];
    onTooLong();
  });
};

const parse = (line: string): JSONRPCMessage | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    const isMessage =
      typeof value === 'object' &&
      value !== null &&
      'jsonrpc' in value &&
      value.jsonrpc === '2.0' &&
      ('method' in value || 'id' in value);
    return isMessage ? (value as JSONRPCMessage) : undefined;
  } catch {
    return undefined;
  }
};

/** MCP over the standard streams of a process: one JSON-RPC message a line. Anything else is noise. */
export const createStdioTransport = (child: Child): Transport & { closeReason?: string | undefined } => {
  let closeReason: string | undefined;
  let isClosed = false;
  const end = (reason: string) => {
    closeReason ??= reason;
    if (isClosed) return;
    isClosed = true;
    transport.onclose?.();
  };

  const transport: Transport & { closeReason?: string | undefined; stderr: null; pid: number | null } = {
    stderr: null,
    pid: child.pid ?? null,
    get closeReason() {
      return closeReason;
    },
    async start() {
      readLines(
        child.stdout,
        (line) => {
          const message = parse(line);
          if (message) transport.onmessage?.(message);
          else child.noise(line);
        },
        () => {
          closeReason = `The server wrote a line of more than ${MAX_LINE_BYTES / 1024 / 1024} MiB.`;
          void child.stop();
        },
      );
      child.stdin.on('error', () => {});
      void child.exited.then(end);
    },
    send: (message) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(new ServerUnavailable(closeReason ?? 'The server has ended.'));
        child.stdin.write(`${JSON.stringify(message)}\n`, (error) =>
          error ? reject(new ServerUnavailable(closeReason ?? 'The server no longer reads its input.')) : resolve(),
        );
      }),
    async close() {
      await child.stop();
      end('The server was stopped.');
    },
  };
  return transport;
};
