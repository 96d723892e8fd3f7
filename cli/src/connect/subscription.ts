import { z } from 'zod';
import { answers, type Message } from './message.ts';

export const LISTEN = 'subscriptions/listen';

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const CHANGED = { toolsListChanged: 'tools', promptsListChanged: 'prompts', resourcesListChanged: 'resources' };
const Watched = z.object({ notifications: z.record(z.string(), z.unknown()) });

/** The lists that a client watches may be others once Peta is back: what tells it to look again. */
const changes = ({ params }: Message): Message[] => {
  const watched = Watched.safeParse(params).data?.notifications ?? {};
  return Object.entries(CHANGED)
    .filter(([flag]) => watched[flag] === true)
    .map(([, kind]) => ({
      jsonrpc: '2.0',
      method: `notifications/${kind}/list_changed`,
      params: { _meta: params?._meta },
    }));
};

/**
 * What the client sees of a subscription that is begun again whenever its stream ends: one acknowledgement, no end.
 * Give what the stream brings to `onMessage`; `isRefused` says that beginning again is no use.
 */
export const subscriptionOf = ({ id }: Message, write: (message: Message) => void) => {
  let isAcknowledged = false;
  let isRefused = false;
  return {
    isRefused: () => isRefused,
    onMessage(message: Message): void {
      if (message.method === ACKNOWLEDGED && isAcknowledged) {
        for (const change of changes(message)) write(change);
        return;
      }
      if (message.method === ACKNOWLEDGED) isAcknowledged = true;
      if (answers(message, id) && message.error === undefined) return;
      if (answers(message, id)) isRefused = true;
      write(message);
    },
  };
};
