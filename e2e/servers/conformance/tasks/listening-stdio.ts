/** Listening to tasks over standard streams. */
import {
  isJSONRPCNotification,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type RequestId,
  SUBSCRIPTION_ID_META_KEY,
} from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { acknowledged, follow, known, refusal, type Wish, wishOf } from './listening.ts';
import type { Tasks } from './tasks.ts';

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';

const Tagged = z.looseObject({
  _meta: z.looseObject({ [SUBSCRIPTION_ID_META_KEY]: z.union([z.string(), z.number()]) }),
});
const Cancelled = z.looseObject({ requestId: z.union([z.string(), z.number()]) });

/** Answers requests to listen to tasks over standard streams. */
export class ListeningStdio extends StdioServerTransport {
  readonly #tasks: Tasks;
  readonly #wishes = new Map<RequestId, Wish>();
  readonly #leaving = new Map<RequestId, () => void>();

  constructor(tasks: Tasks) {
    super();
    this.#tasks = tasks;
  }

  override async start() {
    const next = this.onmessage;
    this.onmessage = (message) => {
      const wish = wishOf(message);
      this.#forget(message);
      if (!wish) return next?.(message);
      if (!wish.isAllowed) return void super.send(refusal(wish)).catch(() => undefined);
      this.#wishes.set(wish.id, wish);
      next?.(wish.request);
    };
    await super.start();
  }

  override async send(message: JSONRPCMessage) {
    const wish = isJSONRPCNotification(message) && message.method === ACKNOWLEDGED && this.#wishFor(message);
    if (!wish) return super.send(message);
    await super.send(acknowledged(message, known(this.#tasks, wish)));
    const leave = follow(this.#tasks, wish, (notification) => void super.send(notification).catch(() => undefined));
    this.#leaving.set(wish.id, leave);
  }

  #wishFor({ params }: JSONRPCNotification) {
    const tag = Tagged.safeParse(params);
    const id = tag.success ? tag.data._meta[SUBSCRIPTION_ID_META_KEY] : undefined;
    const wish = id === undefined ? undefined : this.#wishes.get(id);
    if (wish) this.#wishes.delete(wish.id);
    return wish;
  }

  /** Ends what is cancelled. */
  #forget(message: JSONRPCMessage) {
    if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return;
    const cancelled = Cancelled.safeParse(message.params);
    if (cancelled.success) this.#leaving.get(cancelled.data.requestId)?.();
  }
}
