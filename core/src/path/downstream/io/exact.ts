import { randomUUID } from 'node:crypto';
import { ExactNumber } from '#lib/exact-number';
import { readJson } from '#lib/json';

/** A number of which JSON.parse may change the digits stands here, or perhaps only a text like one. */
const SUSPICIOUS = /\d{16}|\d[.eE][-+\d]/;
const DATA_LINE = /^data: ?(.*\S)/gm;

/** Where the last blank line of the text ends, or 0. */
const lastEventEnd = (text: string): number => {
  const [plain, withReturn] = [text.lastIndexOf('\n\n'), text.lastIndexOf('\n\r\n')];
  return Math.max(plain < 0 ? 0 : plain + 2, withReturn < 0 ? 0 : withReturn + 3);
};

type Change = (value: unknown) => unknown;

const mapped = (value: unknown, change: Change): unknown => {
  const changed = change(value);
  if (changed !== value || typeof value !== 'object' || value === null) return changed;
  if (Array.isArray(value)) return value.map((item) => mapped(item, change));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapped(item, change)]));
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The members of a message in which any value may stand; a number as the method, say, stays the fault that it is. */
const inMembers = (message: unknown, change: Change): unknown => {
  if (!isObject(message)) return message;
  const { id, params, result, error } = message;
  return {
    ...message,
    ...('id' in message && { id: mapped(id, change) }),
    ...('params' in message && { params: mapped(params, change) }),
    ...('result' in message && { result: mapped(result, change) }),
    ...(isObject(error) && 'data' in error && { error: { ...error, data: mapped(error.data, change) } }),
  };
};

/**
 * Carries numbers with all their digits past a JSON.parse that is not ours: they travel as texts with a mark that nobody
 * can know, and become numbers again behind it.
 */
export const createExactness = () => {
  const mark = `${randomUUID()}:`;
  let hasMarked = false;

  const protectJson = (json: string): string => {
    if (!SUSPICIOUS.test(json)) return json;
    let found = false;
    try {
      const value = inMembers(readJson(json), (one) => {
        if (!(one instanceof ExactNumber)) return one;
        found = true;
        return mark + String(one);
      });
      hasMarked ||= found;
      return found ? JSON.stringify(value) : json;
    } catch {
      // Whatever is wrong with it, whoever reads it says so.
      return json;
    }
  };

  return {
    /** A body of JSON. */
    protectJson,

    /** A body of server-sent events, whole events at a time. */
    protectEvents(): TransformStream<Uint8Array, Uint8Array> {
      const decoder = new TextDecoder();
      const encoder = new TextEncoder();
      let rest = '';
      return new TransformStream({
        transform(chunk, controller) {
          const text = decoder.decode(chunk, { stream: true });
          // A blank line may lie across two chunks.
          const seam = rest.slice(-2);
          const end = lastEventEnd(seam + text) - seam.length;
          if (end <= 0) {
            rest += text;
            return;
          }
          const whole = rest + text.slice(0, end);
          rest = text.slice(end);
          const kept = SUSPICIOUS.test(whole)
            ? whole.replace(DATA_LINE, (_line, json: string) => `data: ${protectJson(json)}`)
            : whole;
          controller.enqueue(encoder.encode(kept));
        },
        flush(controller) {
          if (rest !== '') controller.enqueue(encoder.encode(rest));
        },
      });
    },

    /** What was parsed, with its numbers as they came. */
    restore<T>(message: T): T {
      if (!hasMarked) return message;
      const restored = inMembers(message, (one) =>
        typeof one === 'string' && one.startsWith(mark) ? new ExactNumber(one.slice(mark.length)) : one,
      );
      return restored as T;
    },
  };
};

export type Exactness = ReturnType<typeof createExactness>;
