import { isRequestId } from './ids.ts';

const small = (id: unknown): unknown =>
  isRequestId(id) && typeof id !== 'string' && !Number.isSafeInteger(id) ? 0 : id;
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const withSmall = (value: unknown, key: string, change: (held: unknown) => unknown): unknown => {
  if (!isObject(value) || !Object.hasOwn(value, key)) return value;
  const held: unknown = Reflect.get(value, key);
  const changed = change(held);
  return changed === held ? value : { ...value, [key]: changed };
};
const withSmallToken = (params: unknown) =>
  withSmall(params, '_meta', (meta) => withSmall(meta, 'progressToken', small));
/**
 * The message with an id and a progress token that the SDK takes, which are no integers beyond 2^53. For telling which kind
 * of message it is, where the numbers do not matter.
 */
export const withSmallIds = (body: unknown) => withSmall(withSmall(body, 'id', small), 'params', withSmallToken);
