import type { Admitted, TaskState } from '#call';
import { type EdgeParts, type Reply, runMethod } from './edge.ts';
import type { RequestId } from './ids.ts';
import { CODE } from './wire.ts';

type Following = {
  id: RequestId;
  handle: string;
  isDetailed: boolean;
  /** The caller with the permissions of now. */
  admitted(): Admitted;
  /** Ends it. */
  signal: AbortSignal;
  changed(task: TaskState): void;
};

/**
 * Tells how a task is whenever that has changed, for as long as it lasts and the caller may ask for it: what is told is
 * what `tasks/get` answers at that moment.
 */
export const followTask = (parts: EdgeParts, following: Following): Promise<Reply> => {
  const { id, handle, isDetailed, admitted, signal, changed } = following;
  const running = {
    id,
    params: { taskId: handle },
    task: { kind: 'about' as const, handle, isDetailed },
    signal,
    resourceNotFound: CODE.resourceNotFound,
  };
  let last = '';
  let isAsking = false;
  let isStale = false;

  const tell = async (): Promise<void> => {
    isStale = true;
    if (isAsking) return;
    isAsking = true;
    while (isStale && !signal.aborted) {
      isStale = false;
      const asked = { ...running, method: 'tasks/get', admitted: admitted(), notify: () => {} };
      const reply = await runMethod(parts, asked).catch(() => undefined);
      if (!reply || !('task' in reply) || signal.aborted) continue;
      const told = JSON.stringify(reply.task);
      if (told !== last) changed(reply.task);
      last = told;
    }
    isAsking = false;
  };
  const notify = () => void tell();
  return runMethod(parts, { ...running, method: 'tasks/listen', admitted: admitted(), notify });
};
