/** What JSON.rawJSON makes; its type is not in TypeScript's library yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

/** A number of JSON that JavaScript would write with other digits: it counts as the nearest number and is written as it came. */
export class ExactNumber extends Number {
  readonly #literal: string;

  constructor(literal: string) {
    super(literal);
    this.#literal = literal;
  }

  toJSON(): object {
    return rawJSON(this.#literal);
  }

  override toString(): string {
    return this.#literal;
  }
}

/** Does a number literal of JSON come back with the same digits once it has been a number? */
export const survives = (literal: string): boolean => String(Number(literal)) === literal;

const holdsExact = (value: unknown): boolean =>
  value instanceof ExactNumber ||
  (typeof value === 'object' && value !== null && Object.values(value).some(holdsExact));

/** The same value with ordinary numbers, for those who calculate with them; itself where it holds no others. */
export const rounded = (value: unknown): unknown => {
  if (value instanceof ExactNumber) return Number(value);
  if (typeof value !== 'object' || value === null || !holdsExact(value)) return value;
  if (Array.isArray(value)) return value.map(rounded);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rounded(item)]));
};
