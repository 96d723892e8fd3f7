/** Stands between a connection and the SDK and answers what concerns tasks. */
import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  type MessageExtraInfo,
  ProtocolError,
  ProtocolErrorCode,
  type Transport,
} from '@modelcontextprotocol/server';
import type { Era } from '../server.ts';
import { createLegacyTasks } from './legacy.ts';
import { createModernTasks } from './modern.ts';
import type { Tasks } from './tasks.ts';

/** Answers what concerns tasks on this connection; all other messages reach the SDK as they are. */
export const takeTaskMessages = (transport: Transport, tasks: Tasks, era: Era) => {
  const methods = era === 'modern' ? createModernTasks(tasks) : createLegacyTasks(tasks, transport);
  const next = transport.onmessage;
  transport.onmessage = (message: JSONRPCMessage, extra?: MessageExtraInfo) => {
    if (!isJSONRPCRequest(message)) {
      if (!methods.take(message)) next?.(message, extra);
      return;
    }
    const { id } = message;
    const refuse = (error: unknown) => void transport.send({ jsonrpc: '2.0', id, error: asError(error) });
    try {
      const result = methods.request(message, extra);
      if (result === undefined) return next?.(message, extra);
      Promise.resolve(result).then((value) => transport.send({ jsonrpc: '2.0', id, result: value }), refuse);
    } catch (error) {
      refuse(error);
    }
  };
};

const asError = (error: unknown) => {
  if (!(error instanceof ProtocolError)) return { code: ProtocolErrorCode.InternalError, message: String(error) };
  const { code, message, data } = error;
  return { code, message, ...(data !== undefined && { data }) };
};
