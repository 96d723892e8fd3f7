import { ExactNumber, survives } from './exact-number.ts';
import { depthFault, duplicateFault, syntaxFault } from './json-fault.ts';

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const WORDS = { t: ['true', true], f: ['false', false], n: ['null', null] } as const;

const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;
const isSpace = (code: number): boolean => code === SPACE || code === 10 || code === 13 || code === 9;

/** As an own property whatever the key, as JSON.parse does. */
const put = (object: Record<string, unknown>, key: string, value: unknown): void => {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
};

/** Reads JSON letter by letter: several times slower than JSON.parse, with digits as they came and faults where they are. */
export const readSlowly = (text: string, maxDepth: number): unknown => {
  let at = 0;

  const skipSpace = (): void => {
    while (isSpace(text.charCodeAt(at))) at += 1;
  };
  const isNext = (char: string): boolean => {
    if (text[at] !== char) return false;
    at += 1;
    return true;
  };
  const expect = (pattern: RegExp): void => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) throw syntaxFault(text, at);
    at = pattern.lastIndex;
  };

  const readString = (): string => {
    const start = at;
    let isEscaped = false;
    at += 1;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        isEscaped = true;
        expect(ESCAPE);
      } else if (code >= SPACE) at += 1;
      else throw syntaxFault(text, at);
    }
    at += 1;
    return isEscaped ? String(JSON.parse(text.slice(start, at))) : text.slice(start + 1, at - 1);
  };

  const readNumber = (): unknown => {
    const start = at;
    expect(NUMBER);
    const literal = text.slice(start, at);
    return survives(literal) ? Number(literal) : new ExactNumber(literal);
  };

  const readList = (depth: number): unknown[] => {
    const items: unknown[] = [];
    if (isNext(']')) return items;
    do items.push(readValue(depth));
    while (isNext(','));
    if (!isNext(']')) throw syntaxFault(text, at);
    return items;
  };

  const readObject = (depth: number): object => {
    const object: Record<string, unknown> = {};
    if (isNext('}')) return object;
    do {
      skipSpace();
      const start = at;
      if (text[start] !== '"') throw syntaxFault(text, start);
      const key = readString();
      if (Object.hasOwn(object, key)) throw duplicateFault(text, start, key);
      skipSpace();
      if (!isNext(':')) throw syntaxFault(text, at);
      put(object, key, readValue(depth));
    } while (isNext(','));
    if (!isNext('}')) throw syntaxFault(text, at);
    return object;
  };

  const readNested = (depth: number): unknown => {
    if (depth > maxDepth) throw depthFault(text, at, maxDepth);
    const isList = text[at] === '[';
    at += 1;
    skipSpace();
    return isList ? readList(depth) : readObject(depth);
  };

  const readWord = (char: keyof typeof WORDS): unknown => {
    const [word, value] = WORDS[char];
    if (!text.startsWith(word, at)) throw syntaxFault(text, at);
    at += word.length;
    return value;
  };

  const readPlain = (char: string | undefined): unknown => {
    if (char === '"') return readString();
    return char === 't' || char === 'f' || char === 'n' ? readWord(char) : readNumber();
  };

  const readValue = (depth: number): unknown => {
    skipSpace();
    const char = text[at];
    const value = char === '{' || char === '[' ? readNested(depth + 1) : readPlain(char);
    skipSpace();
    return value;
  };

  const value = readValue(0);
  if (at < text.length) throw syntaxFault(text, at);
  return value;
};
