import type { Readable, Writable } from 'node:stream';
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { readJson } from '#lib/json';
import { ServerUnavailable } from '../errors.ts';
import type { Way } from '../tap.ts';

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
/** How long what a server wrote before it ended may take to arrive. */
const LAST_WORDS_MS = 1_000;

/** Splits a stream into lines; a line over the bound ends it. */
const readLines = (stream: Readable, maxBytes: number, onLine: (line: string) => void, onTooLong: () => void): void => {
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
    if (size <= maxBytes) return;
    isOver = true;
    parts = [];
    onTooLong();
  });
};

/** A line that is one message and can be read in one way. */
const parse = (line: string): JSONRPCMessage | undefined => {
  try {
    const value = readJson(line);
    const isMessage =
      typeof value === 'object' &&
      value !== null &&
      'jsonrpc' in value &&
      value.jsonrpc === '2.0' &&
      ('method' in value ? typeof value.method === 'string' : 'id' in value);
    return isMessage ? (value as JSONRPCMessage) : undefined;
  } catch {
    return undefined;
  }
};

const drained = (stream: Readable): Promise<void> =>
  new Promise((done) => {
    if (stream.readableEnded || stream.destroyed) return done();
    const timer = setTimeout(done, LAST_WORDS_MS);
    stream.once('close', () => {
      clearTimeout(timer);
      done();
    });
  });

/**
 * MCP over the standard streams of a process: one JSON-RPC message a line. Anything else is noise. A line of more than
 * `maxLineBytes` ends the connection.
 */
export const createStdioTransport = (child: Child, maxLineBytes = MAX_LINE_BYTES): Way => {
  let closeReason: string | undefined;
  let isClosed = false;
  // Writing to a server that has gone fails the write; unheard, the stream's own error would end Peta.
  child.stdin.on('error', () => {});
  const end = (reason: string) => {
    closeReason ??= reason;
    if (isClosed) return;
    isClosed = true;
    way.onclose?.();
  };

  const way: Way & { stderr: null; pid: number | null } = {
    stderr: null,
    pid: child.pid ?? null,
    get closeReason() {
      return closeReason;
    },
    async start() {
      readLines(
        child.stdout,
        maxLineBytes,
        (line) => {
          const message = parse(line);
          if (message) way.onmessage?.(message);
          else child.noise(line);
        },
        () => {
          end(`The server wrote a line of more than ${maxLineBytes / 1024 / 1024} MiB.`);
          void child.stop();
        },
      );
      void child.exited.then(async (reason) => {
        closeReason ??= reason;
        await drained(child.stdout);
        end(reason);
      });
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
  return way;
};
