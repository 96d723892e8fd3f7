/** Writes down what reaches the server, so that a test can tell what it was told. */
import { appendFileSync } from 'node:fs';
import type { Transport } from '@modelcontextprotocol/server';

export type Record = (entry: object) => void;

/** Appends one JSON line for each entry; without a file it keeps nothing. */
export const createRecord = (file: string | undefined): Record => {
  if (file === undefined) return () => {};
  return (entry) => appendFileSync(file, `${JSON.stringify({ pid: process.pid, ...entry })}\n`);
};

/** Records every message that comes on this connection. */
export const recordMessages = (transport: Transport, record: Record) => {
  const next = transport.onmessage;
  transport.onmessage = (message, extra) => {
    record(message);
    next?.(message, extra);
  };
};
