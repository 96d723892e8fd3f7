/** States of tasks on a listening stream of 2026-07-28, for those whose ids it names. The SDK keeps the stream itself. */
import {
  isJSONRPCRequest,
  type JSONRPCNotification,
  type JSONRPCRequest,
  ProtocolErrorCode,
  type RequestId,
  SUBSCRIPTION_ID_META_KEY,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { detailed, isCapable, REQUIRED } from './modern.ts';
import type { Tasks } from './tasks.ts';

type Send = (notification: JSONRPCNotification) => void;
/** A request to listen to tasks. */
export type Wish = { id: RequestId; taskIds: string[]; isAllowed: boolean; request: JSONRPCRequest };

/** The SDK ends a stream that listens to nothing it knows, so it is given a resource that never changes. */
const NEVER = 'tasks://never';

const Uris = z.array(z.string()).default([]);
const Listen = z.looseObject({
  notifications: z.looseObject({ taskIds: z.array(z.string()), resourceSubscriptions: Uris }),
});
const Acknowledged = z.looseObject({ notifications: z.looseObject({ resourceSubscriptions: Uris }) });

export const wishOf = (message: unknown): Wish | undefined => {
  if (!isJSONRPCRequest(message) || message.method !== 'subscriptions/listen') return undefined;
  const params = Listen.safeParse(message.params);
  if (!params.success) return undefined;
  const { taskIds, ...others } = params.data.notifications;
  const notifications = { ...others, resourceSubscriptions: [...others.resourceSubscriptions, NEVER] };
  const request = { ...message, params: { ...message.params, notifications } };
  return { id: message.id, taskIds, isAllowed: isCapable(message), request };
};

export const refusal = ({ id }: Wish) => ({
  jsonrpc: '2.0' as const,
  id,
  error: {
    code: ProtocolErrorCode.MissingRequiredClientCapability,
    message: 'The client does not know tasks',
    data: { requiredCapabilities: REQUIRED },
  },
});

/** The SDK's acknowledgement with the tasks that exist, and without what was added for it. */
export const acknowledged = (message: JSONRPCNotification, taskIds: string[]): JSONRPCNotification => {
  const params = Acknowledged.parse(message.params);
  const { resourceSubscriptions, ...others } = params.notifications;
  const uris = resourceSubscriptions.filter((uri) => uri !== NEVER);
  const notifications = { ...others, ...(uris.length > 0 && { resourceSubscriptions: uris }), taskIds };
  return { ...message, params: { ...params, notifications } };
};

/** Sends each new state of the tasks until the returned function is called. */
export const follow = (tasks: Tasks, { id, taskIds }: Wish, send: Send) => {
  const followed = taskIds
    .flatMap((taskId) => tasks.get(taskId) ?? [])
    .map((task) => {
      const tell = () => {
        const params = { ...detailed(task), _meta: { [SUBSCRIPTION_ID_META_KEY]: id } };
        send({ jsonrpc: '2.0', method: 'notifications/tasks', params });
      };
      task.changes.on('change', tell);
      return () => task.changes.off('change', tell);
    });
  return () => {
    for (const leave of followed) leave();
  };
};

export const known = (tasks: Tasks, { taskIds }: Wish) => taskIds.filter((id) => tasks.get(id) !== undefined);
