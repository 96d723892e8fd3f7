import { z } from 'zod';
import { ExactNumber } from '#lib/exact-number';

/** A client's name for its request: a string or an integer of any size, handed back with the very digits it came with. */
export type RequestId = string | number | ExactNumber;

const isInteger = (id: number | ExactNumber): boolean => Number.isInteger(Number(id)) || /^-?\d+$/.test(String(id));

export const isRequestId = (id: unknown): id is RequestId =>
  typeof id === 'string' || ((typeof id === 'number' || id instanceof ExactNumber) && isInteger(id));

export const RequestIdShape = z.custom<RequestId>(isRequestId);

const keyOf = (id: RequestId): string => JSON.stringify(id);

/** Things by the id of their request, whichever type it has. */
export const createById = <T>() => {
  const held = new Map<string, T>();
  return {
    has: (id: RequestId): boolean => held.has(keyOf(id)),
    get: (id: RequestId): T | undefined => held.get(keyOf(id)),
    set: (id: RequestId, value: T): void => void held.set(keyOf(id), value),
    delete: (id: RequestId): void => void held.delete(keyOf(id)),
    values: () => held.values(),
  };
};
