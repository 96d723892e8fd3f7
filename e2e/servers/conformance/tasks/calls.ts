/** What both eras read from a request that concerns tasks. */
import {
  type JSONRPCMessage,
  type JSONRPCRequest,
  type MessageExtraInfo,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Run, Task, Tasks } from './tasks.ts';
import { taskTools } from './tools.ts';

type Result = Record<string, unknown>;

/** Answers one request, or returns nothing to leave it to the SDK. */
export type TaskMethods = {
  request: (request: JSONRPCRequest, extra: MessageExtraInfo | undefined) => Promise<Result> | Result | undefined;
  /** Whether a message that is no request was meant for a task. */
  take: (message: JSONRPCMessage) => boolean;
};

const TaskParams = z.looseObject({ taskId: z.string() });
const CallParams = z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) });

/** The task that the parameters name. */
export const taskOf = (tasks: Tasks, params: unknown): Task => {
  const parsed = TaskParams.safeParse(params);
  const task = parsed.success ? tasks.get(parsed.data.taskId) : undefined;
  if (!task) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'No such task');
  return task;
};

/** The called tool as far as it can be a task; nothing if it is another one or its arguments are wrong. */
export const taskToolOf = ({ method, params }: JSONRPCRequest) => {
  const call = CallParams.safeParse(params);
  if (method !== 'tools/call' || !call.success || !Object.hasOwn(taskTools, call.data.name)) return undefined;
  const tool = taskTools[call.data.name];
  if (!tool?.inputSchema.safeParse(call.data.arguments).success) return undefined;
  const run: Run = tool.run(call.data.arguments);
  return { support: tool.support, asksFirst: tool.asksFirst ?? false, run };
};
