import { SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Admitted } from '#call';
import type { EdgeParts } from '../edge.ts';
import { acceptsStream, type Exchange } from '../exchange.ts';
import type { RequestId } from '../ids.ts';
import type { ListKind } from '../live.ts';
import { CODE, notificationMessage, refuse, resultMessage } from '../wire.ts';

const Filter = z.looseObject({
  notifications: z.looseObject({
    toolsListChanged: z.boolean().optional(),
    promptsListChanged: z.boolean().optional(),
    resourcesListChanged: z.boolean().optional(),
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
export const listen = (
  { live, quietMs }: EdgeParts,
  exchange: Exchange,
  request: { id: RequestId; params: Record<string, unknown> },
  admitted: Admitted,
) => {
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

  const wanted = KINDS.filter((kind) => filter.data.notifications[FLAG[kind]]);
  const tag = { [SUBSCRIPTION_ID_META_KEY]: request.id };
  const stream = exchange.stream();
  const notify = (method: string, params: Record<string, unknown>) =>
    stream.send(notificationMessage(method, { ...params, _meta: tag }));

  const remove = live.add({
    admitted,
    end: () => {
      clearInterval(timer);
      stream.send(resultMessage(request.id, { resultType: 'complete', _meta: tag }));
      stream.end();
    },
    onListChanged: (kinds) => {
      for (const kind of kinds) if (wanted.includes(kind)) notify(`notifications/${kind}/list_changed`, {});
    },
  });
  const timer = setInterval(() => stream.keepAlive(), quietMs);
  timer.unref();
  exchange.gone.addEventListener('abort', () => {
    clearInterval(timer);
    remove();
  });
  notify('notifications/subscriptions/acknowledged', {
    notifications: Object.fromEntries(wanted.map((kind) => [FLAG[kind], true])),
  });
};
