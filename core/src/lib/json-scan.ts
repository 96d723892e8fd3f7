import { survives } from './exact-number.ts';

/** What a text of JSON holds, found without reading its values. Of a text that is not JSON it says nothing of use. */
export type Scan = {
  keys: number;
  depth: number;
  everyNumberSurvives: boolean;
  /** JSON.parse of V8 13 and 14 can take a key with an escape for another key (nodejs/node#63785). */
  hasEscapedKey: boolean;
};

const QUOTE = 34;
const PLUS = 43;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const UPPER_E = 69;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const LOWER_E = 101;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** So far a string is looked through here; a search for its end only pays beyond. */
const SHORT = 24;
/** Any decimal of so many digits is a number of its own. */
const SAFE_DIGITS = 15;

/** Where the string ends whose first character is at `from`; negative when there is an escape in it. */
const endOfString = (text: string, from: number): number => {
  let at = from;
  let isEscaped = false;
  for (;;) {
    for (const far = at + SHORT; at < far; at += 1) {
      const char = text.charCodeAt(at);
      if (char === QUOTE) return isEscaped ? -at : at;
      if (char === BACKSLASH) {
        isEscaped = true;
        at += 1;
      }
    }
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    isEscaped ||= text.slice(at, quote).includes('\\');
    let before = quote - 1;
    while (before >= at && text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 1) return isEscaped ? -quote : quote;
    at = quote + 1;
  }
};

/** Where the number ends that begins at `start`; negative when it does not survive. */
const endOfNumber = (text: string, start: number): number => {
  const first = text.charCodeAt(start) === MINUS ? start + 1 : start;
  let at = first;
  let dots = 0;
  let isPlain = true;
  for (; ; at += 1) {
    const char = text.charCodeAt(at);
    if (char >= ZERO && char <= NINE) continue;
    if (char === DOT) dots += 1;
    else if (char === LOWER_E || char === UPPER_E || char === PLUS || char === MINUS) isPlain = false;
    else break;
  }
  if (isPlain && at - first - dots <= SAFE_DIGITS) {
    const startsWithZero = text.charCodeAt(first) === ZERO;
    if (dots === 0 && (!startsWithZero || first === start)) return at;
    const isSmall = startsWithZero && text.charCodeAt(first + 2) === ZERO;
    if (dots === 1 && !isSmall && text.charCodeAt(at - 1) !== ZERO) return at;
  }
  return survives(text.slice(start, at)) ? at : -at;
};

/** Looks through a text of JSON once. */
export const scan = (text: string): Scan => {
  const found: Scan = { keys: 0, depth: 0, everyNumberSurvives: true, hasEscapedKey: false };
  const { length } = text;
  let level = 0;
  let isEscaped = false;
  let at = 0;
  while (at < length) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(text, at + 1);
      isEscaped = end < 0;
      at = Math.abs(end);
    } else if (char === COLON) {
      found.keys += 1;
      if (isEscaped) found.hasEscapedKey = true;
    } else if (char === OPEN_OBJECT || char === OPEN_LIST) {
      level += 1;
      if (level > found.depth) found.depth = level;
    } else if (char === CLOSE_OBJECT || char === CLOSE_LIST) level -= 1;
    else if (char === MINUS || (char >= ZERO && char <= NINE)) {
      const end = endOfNumber(text, at);
      if (end < 0) found.everyNumberSurvives = false;
      at = Math.abs(end);
      continue;
    }
    at += 1;
  }
  return found;
};
