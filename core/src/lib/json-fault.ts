/** Why a text is not taken as JSON, and at which byte of it. The message is a sentence that quotes no more than a key. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  readonly kind: 'syntax' | 'duplicate' | 'depth';

  constructor(kind: JsonFault['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

const MAX_QUOTE = 64;

const byteOf = (text: string, at: number): number => Buffer.byteLength(text.slice(0, at));

const quoted = (key: string): string => JSON.stringify(key.length > MAX_QUOTE ? `${key.slice(0, MAX_QUOTE)}…` : key);

export const syntaxFault = (text: string, at: number): JsonFault =>
  new JsonFault(
    'syntax',
    at < text.length
      ? `The JSON goes wrong at byte ${byteOf(text, at)}.`
      : `The JSON ends too early, at byte ${byteOf(text, at)}.`,
  );

export const duplicateFault = (text: string, at: number, key: string): JsonFault =>
  new JsonFault(
    'duplicate',
    `The key ${quoted(key)} occurs twice in one object, the second time at byte ${byteOf(text, at)}.`,
  );

export const depthFault = (text: string, at: number, maxDepth: number): JsonFault =>
  new JsonFault('depth', `The JSON is nested more than ${maxDepth} levels deep, at byte ${byteOf(text, at)}.`);
