import { type ClearedCall, isOver, type TaskState } from '#call';
import { sleep } from '#lib/sleep';
import type { Connection } from '../connection.ts';
import { RpcError } from '../errors.ts';
import type { Place } from './place.ts';
import { pollMs, senderOf } from './stateless.ts';
import { withTasks } from './wish.ts';

/** A server that says of its own accord when the task changes is asked only now and then. */
const TOLD_POLL_MS = 30_000;
const LISTEN_MS = 24 * 3_600_000;

/** What is known of a task that somebody listens to. */
type Watched = {
  look(): Promise<TaskState>;
  /** Calls back when the server says that it has changed, until the signal aborts. */
  subscribe(changed: () => void, signal: AbortSignal): void;
};

export const watchedPlace = (place: Place): Watched => ({
  look: () => place.state(),
  subscribe: (changed, signal) => signal.addEventListener('abort', place.onChanged(changed), { once: true }),
});

export const watchedTask = (call: ClearedCall, connection: Connection, callTimeoutMs: number): Watched => ({
  async look() {
    const { taskId = '', status = '', ...rest } = await senderOf(call, connection, callTimeoutMs)('tasks/get');
    return { ...rest, taskId: String(taskId), status: String(status) };
  },
  subscribe(changed, signal) {
    const params = { notifications: { taskIds: [call.kept?.ownId ?? ''] } };
    const onNotification = (method: string) => {
      if (method === 'notifications/tasks') changed();
    };
    // A server that does not offer it is polled.
    connection
      .request('subscriptions/listen', params, {
        signal,
        timeoutMs: LISTEN_MS,
        onNotification,
        clientCapabilities: withTasks(call),
      })
      .catch(() => {});
  },
});

/** Says, through `call.notify`, whenever the task may have changed, until it is over, lost, or the call's signal aborts. */
export const watchTask = async (call: ClearedCall, watched: Watched): Promise<void> => {
  const end = new AbortController();
  const signal = AbortSignal.any([call.signal, end.signal]);
  const tell = () => call.notify('notifications/tasks', {});
  let isTold = false;
  let wake = () => {};
  const first = await watched.look();
  watched.subscribe(() => {
    isTold = true;
    wake();
    tell();
  }, signal);

  const follow = async () => {
    let before = first;
    while (!isOver(before) && !signal.aborted) {
      const nap = new AbortController();
      wake = () => nap.abort();
      await sleep(isTold ? TOLD_POLL_MS : pollMs(before), AbortSignal.any([signal, nap.signal]));
      if (signal.aborted) return;
      const now = await watched.look();
      if (now.status !== before.status || now.lastUpdatedAt !== before.lastUpdatedAt) tell();
      before = now;
    }
  };
  void follow()
    .catch((error: unknown) => {
      // Whoever listens hears of a task that is lost by asking for it.
      if (error instanceof RpcError) tell();
    })
    .finally(() => end.abort());
};
