import { invalidFilter, invalidPath, quoted } from './errors.ts';

const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;
export type Operator = (typeof OPERATORS)[number];
export type Literal = string | number | boolean | null;

/** RFC 7644 section 3.4.2.2. Paths are as they were written. */
export type Filter =
  | { kind: 'all' | 'any'; of: Filter[] }
  | { kind: 'not'; of: Filter }
  | { kind: 'present'; path: string }
  | { kind: 'compare'; path: string; operator: Operator; value: Literal }
  /** One value of a multi-valued attribute fulfils all of it. */
  | { kind: 'has'; path: string; of: Filter };

/** What a PATCH operation points at (RFC 7644 section 3.5.2). */
export type Path = { path: string; filter?: Filter | undefined; sub?: string | undefined };

const MAX_LENGTH = 4_096;
const MAX_DEPTH = 12;
const MAX_COMPARISONS = 100;

type Token = { kind: '(' | ')' | '[' | ']' | 'string' | 'number' | 'word'; text: string };

// Each alternative begins with what no other begins with, so nothing is looked at twice.
const TOKEN = /\s+|([()[\]])|("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|([A-Za-z$.][\w$:.-]*)/y;

const tokensOf = (text: string, fault: (message: string) => Error): Token[] => {
  if (text.length > MAX_LENGTH) throw fault(`It may have ${MAX_LENGTH} characters.`);
  if (!text.isWellFormed() || text.includes('\0')) throw fault('It holds characters that are none.');
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw fault(`${quoted(text.slice(at, at + 20))} cannot be read, at character ${at + 1}.`);
    const [, bracket, string, number, word] = match;
    if (bracket) tokens.push({ kind: bracket as '(' | ')' | '[' | ']', text: bracket });
    else if (string) tokens.push({ kind: 'string', text: string });
    else if (number) tokens.push({ kind: 'number', text: number });
    else if (word) tokens.push({ kind: 'word', text: word });
  }
  return tokens;
};

const isOperator = (text: string): text is Operator => (OPERATORS as readonly string[]).includes(text);

const literalOf = (token: Token | undefined): Literal | undefined => {
  if (token?.kind === 'string') {
    try {
      const value: unknown = JSON.parse(token.text);
      return typeof value === 'string' && value.isWellFormed() && !value.includes('\0') ? value : undefined;
    } catch {
      return undefined;
    }
  }
  if (token?.kind === 'number') return Number.isFinite(Number(token.text)) ? Number(token.text) : undefined;
  const words: Record<string, Literal> = { true: true, false: false, null: null };
  const word = token?.kind === 'word' ? token.text.toLowerCase() : '';
  return Object.hasOwn(words, word) ? words[word] : undefined;
};

/** Reads tokens from the left; or binds loosest, not closest. */
const createReader = (text: string, fault: (message: string) => Error) => {
  const tokens = tokensOf(text, fault);
  let at = 0;
  let comparisons = 0;

  const peek = () => tokens[at];
  const isWord = (word: string) => peek()?.kind === 'word' && peek()?.text.toLowerCase() === word;
  const unexpected = () => {
    const token = peek();
    return fault(token ? `${quoted(token.text)} was not expected there.` : 'It ends too early.');
  };
  const take = (kind: Token['kind']): string => {
    const token = peek();
    if (token?.kind !== kind) throw unexpected();
    at += 1;
    return token.text;
  };

  const joined = (word: 'or' | 'and', kind: 'any' | 'all', next: (depth: number) => Filter) => (depth: number) => {
    const of = [next(depth)];
    while (isWord(word)) {
      at += 1;
      of.push(next(depth));
    }
    const [only] = of;
    return only && of.length === 1 ? only : { kind, of };
  };

  const compared = (path: string): Filter => {
    const operator = take('word').toLowerCase();
    comparisons += 1;
    if (comparisons > MAX_COMPARISONS) throw fault(`It may compare ${MAX_COMPARISONS} times.`);
    if (operator === 'pr') return { kind: 'present', path };
    if (!isOperator(operator)) throw fault(`There is no operator ${quoted(operator)}.`);
    const value = literalOf(peek());
    if (value === undefined) throw unexpected();
    at += 1;
    return { kind: 'compare', path, operator, value };
  };

  const bracketed = (depth: number): Filter => {
    take('[');
    const of = filter(depth + 1);
    take(']');
    return of;
  };

  const group = (depth: number): Filter => {
    take('(');
    const of = filter(depth + 1);
    take(')');
    return of;
  };

  const term = (depth: number): Filter => {
    if (depth > MAX_DEPTH) throw fault(`Parentheses may stand ${MAX_DEPTH} deep in one another.`);
    if (peek()?.kind === '(') return group(depth);
    if (isWord('not') && tokens[at + 1]?.kind === '(') {
      at += 1;
      return { kind: 'not', of: group(depth) };
    }
    const path = take('word');
    if (peek()?.kind !== '[') return compared(path);
    const of = bracketed(depth);
    const sub = peek()?.kind === 'word' && peek()?.text.startsWith('.') ? take('word').slice(1) : undefined;
    return { kind: 'has', path, of: sub === undefined ? of : { kind: 'all', of: [of, compared(sub)] } };
  };

  const filter: (depth: number) => Filter = joined('or', 'any', joined('and', 'all', term));

  return { filter, take, peek, bracketed, unexpected };
};

/** Reads a filter, however hostile. */
export const parseFilter = (text: string): Filter => {
  const reader = createReader(text, (message) => invalidFilter(`The filter cannot be used. ${message}`));
  const filter = reader.filter(0);
  if (reader.peek()) throw reader.unexpected();
  return filter;
};

/** Reads the path of a PATCH operation, such as `emails[type eq "work"].value`. */
export const parsePath = (text: string): Path => {
  const reader = createReader(text, (message) => invalidPath(`The path ${quoted(text)} cannot be used. ${message}`));
  const path = reader.take('word');
  const filter = reader.peek()?.kind === '[' ? reader.bracketed(0) : undefined;
  const rest = filter && reader.peek() ? reader.take('word') : undefined;
  if (reader.peek() || (rest !== undefined && !/^\.[^.]+$/.test(rest))) throw reader.unexpected();
  return { path, filter, sub: rest?.slice(1) };
};
