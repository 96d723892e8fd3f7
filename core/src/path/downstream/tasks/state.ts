import type { JsonObject, TaskState } from '#call';
import { asObject, ServerUnavailable } from '../errors.ts';

/** What says of a message which task it belongs to, in 2025-11-25. */
const RELATED = 'io.modelcontextprotocol/related-task';

/** The state in a server's answer, or undefined when there is none. */
export const stateIn = ({ resultType: _type, ...result }: JsonObject): TaskState | undefined => {
  const { taskId, status } = result;
  return typeof taskId === 'string' && typeof status === 'string' ? { ...result, taskId, status } : undefined;
};

/** The state in a server's answer. Throws when it is none. */
export const readState = (result: JsonObject): TaskState => {
  const state = stateIn(result);
  if (!state) throw new ServerUnavailable('It answered with something that is no task.');
  return state;
};

/** A task of 2025-11-25 in the words of 2026-07-28. */
export const fromSessionful = ({ ttl, pollInterval, ...task }: JsonObject): JsonObject => ({
  ...task,
  ttlMs: ttl ?? null,
  ...(pollInterval !== undefined && { pollIntervalMs: pollInterval }),
});

/** The id of the task that a message belongs to, where it says so. */
export const relatedTask = (params: JsonObject): string | undefined => {
  const id = asObject(asObject(params._meta)?.[RELATED])?.taskId;
  return typeof id === 'string' ? id : undefined;
};

/** The same without the server's own id of the task, which is no name that the client knows. */
export const withoutRelated = (content: JsonObject): JsonObject => {
  const meta = asObject(content._meta);
  if (meta?.[RELATED] === undefined) return content;
  const { [RELATED]: _related, ...rest } = meta;
  const { _meta, ...bare } = content;
  return Object.keys(rest).length > 0 ? { ...bare, _meta: rest } : bare;
};
