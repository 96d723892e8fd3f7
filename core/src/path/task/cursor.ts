import { z } from 'zod';
import type { Place } from './record.ts';

const Cursor = z.object({ at: z.int(), id: z.string() });

export const cursorOf = ({ createdAt, id }: Place): string =>
  Buffer.from(JSON.stringify({ at: createdAt.getTime(), id })).toString('base64url');

/** The place that a cursor names, `none` without one, or undefined when it is not ours. */
export const placeOf = (cursor: unknown): Place | 'none' | undefined => {
  if (cursor === undefined) return 'none';
  try {
    const { at, id } = Cursor.parse(JSON.parse(Buffer.from(String(cursor), 'base64url').toString()));
    return { createdAt: new Date(at), id };
  } catch {
    return undefined;
  }
};
