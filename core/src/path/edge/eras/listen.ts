import { SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Admitted } from '#call';
import type { EdgeParts } from '../edge.ts';
import { acceptsStream, type Exchange, type Stream } from '../exchange.ts';
import { followTask } from '../follow-task.ts';
import type { RequestId } from '../ids.ts';
import type { ListKind } from '../live.ts';
import { subscribe } from '../subscribe.ts';
import { knowsTasks, missingTasks } from '../tasks.ts';
import { CODE, notificationMessage, refuse, resultMessage } from '../wire.ts';

const Filter = z.looseObject({
  notifications: z.looseObject({
    toolsListChanged: z.boolean().optional(),
    promptsListChanged: z.boolean().optional(),
    resourcesListChanged: z.boolean().optional(),
    resourceSubscriptions: z.array(z.string().min(1)).max(1_000).optional(),
    taskIds: z.array(z.string().min(1)).max(100).optional(),
  }),
});

const FLAG: Record<ListKind, 'toolsListChanged' | 'promptsListChanged' | 'resourcesListChanged'> = {
  tools: 'toolsListChanged',
  prompts: 'promptsListChanged',
  resources: 'resourcesListChanged',
};
const KINDS: readonly ListKind[] = ['tools', 'prompts', 'resources'];

/**
 * `subscriptions/listen` of 2026-07-28: the response stays open. First it says which of the notifications asked for
 * it will carry, then it carries exactly those, each tagged with the subscription.
 */
export const listen = async (
  parts: EdgeParts,
  exchange: Exchange,
  request: { id: RequestId; params: Record<string, unknown> },
  admitted: Admitted,
) => {
  const { live, quietMs } = parts;
  const filter = Filter.safeParse(request.params);
  if (!filter.success)
    return refuse(exchange, 200, request.id, {
      code: CODE.invalidParams,
      message: 'Invalid params of subscriptions/listen: notifications: say which notifications to send.',
    });
  if (!acceptsStream(exchange))
    return refuse(exchange, 406, request.id, {
      code: CODE.invalidRequest,
      message: 'subscriptions/listen answers with a stream: accept text/event-stream.',
    });

  const { notifications } = filter.data;
  const { resourceSubscriptions = [], taskIds } = notifications;
  if (taskIds && !knowsTasks(admitted.client.capabilities)) return refuse(exchange, 400, request.id, missingTasks);
  const wanted = KINDS.filter((kind) => notifications[FLAG[kind]]);
  const tag = { [SUBSCRIPTION_ID_META_KEY]: request.id };
  const over = new AbortController();
  let stream: Stream | undefined;
  const early: [method: string, params: Record<string, unknown>][] = [];
  /** What is said before the acknowledgement waits for it. */
  const notify = (method: string, params: Record<string, unknown>) => {
    if (stream) stream.send(notificationMessage(method, { ...params, _meta: tag }));
    else early.push([method, params]);
  };

  const place = live.add({
    admitted,
    end: () => {
      over.abort();
      stream?.send(resultMessage(request.id, { resultType: 'complete', _meta: tag }));
      stream?.end();
    },
    onListChanged: (kinds) => {
      for (const kind of kinds) if (wanted.includes(kind)) notify(`notifications/${kind}/list_changed`, {});
    },
  });
  over.signal.addEventListener('abort', place.remove);
  exchange.gone.addEventListener('abort', () => over.abort());
  if (exchange.gone.aborted) over.abort();

  /** Those of the resources that their servers tell of. */
  const watched: string[] = [];
  const watch = async (uri: string) => {
    const reply = await subscribe(parts, {
      id: request.id,
      params: { uri },
      admitted: place.admitted,
      resourceNotFound: CODE.invalidParams,
      signal: over.signal,
      updated: (params) => notify('notifications/resources/updated', params),
    });
    if ('result' in reply) watched.push(uri);
  };
  /** Those of the tasks that are the caller's own. */
  const followed: string[] = [];
  const follow = async (handle: string) => {
    const reply = await followTask(parts, {
      id: request.id,
      handle,
      isDetailed: true,
      admitted: place.admitted,
      signal: over.signal,
      changed: (task) => notify('notifications/tasks', task),
    });
    if ('result' in reply) followed.push(handle);
  };
  await Promise.all([...[...new Set(resourceSubscriptions)].map(watch), ...[...new Set(taskIds)].map(follow)]);
  if (over.signal.aborted) return exchange.empty(202);

  stream = exchange.stream();
  const timer = setInterval(() => stream?.keepAlive(), quietMs);
  timer.unref();
  over.signal.addEventListener('abort', () => clearInterval(timer));
  notify('notifications/subscriptions/acknowledged', {
    notifications: {
      ...Object.fromEntries(wanted.map((kind) => [FLAG[kind], true])),
      ...(watched.length > 0 && { resourceSubscriptions: watched }),
      ...(taskIds && { taskIds: followed }),
    },
  });
  for (const [method, params] of early.splice(0)) notify(method, params);
};
