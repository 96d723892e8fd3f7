import type { JsonObject, TaskState } from '#call';

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is kept of a state: not what it asks or ended with, which may be large or secret, but whether the tool failed. */
export const briefOf = (state: TaskState): TaskState => {
  const { result, error: _error, inputRequests: _requests, _meta, resultType: _type, ...brief } = state;
  return { ...brief, ...(isObject(result) && result.isError === true && { result: { isError: true } }) } as TaskState;
};
