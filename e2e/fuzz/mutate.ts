import type { Message } from './messages.ts';
import type { Random } from './random.ts';

/** Text that stands in a document as it is, JSON or not. */
class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** JSON.stringify with raw text in it, and entries that may repeat. */
const write = (value: unknown): string => {
  if (value instanceof Raw) return value.text;
  if (value instanceof Map) return `{${[...value].map(([, entry]) => entry).join(',')}}`;
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${write(item)}`)
    .join(',')}}`;
};

const STRINGS = [
  '',
  ' ',
  'null',
  '2.0',
  '__proto__',
  'tools/call',
  '../../x',
  '\u0000',
  '\uffff\ufeff',
  '\u202eabc',
  '😀',
  "'",
  '%s%n',
  '{{}}',
] as const;
const LITERALS = [
  '1e400',
  '-1e400',
  '1.0',
  '-0',
  '1e-400',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1000000000000000055',
  'NaN',
  'Infinity',
  '-',
  '01',
  '.5',
  '1.',
  '0x10',
  'undefined',
  'True',
  "'a'",
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\x41"',
  '"open',
  '\u2028',
  '/* c */1',
  '',
  '2147483648',
  '-1',
  '4294967296',
] as const;
const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '\u0000',
  'id',
  'method',
  'params',
  'result',
  'error',
  'name',
  'uri',
  'toJSON',
  'then',
  'length',
  '0',
  '😀',
  'ｍethod',
] as const;

const flipCase = (text: string, { below }: Random): string => {
  const at = below(text.length);
  const char = text.charAt(at);
  const other = char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase();
  return text.slice(0, at) + other + text.slice(at + 1);
};

const nested = (random: Random): Raw => {
  const depth = random.pick([10, 100, 255, 256, 257, 1_000, 20_000]);
  const [open, close] = random.pick<readonly [string, string]>([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"b":', '}]'],
  ]);
  return new Raw(`${open.repeat(depth)}1${random.chance(0.9) ? close.repeat(depth) : ''}`);
};

const huge = (random: Random): unknown => {
  const size = random.pick([100, 1_000, 10_000, 100_000]);
  const unit = random.pick(['x', '"', '\\', '漢', '\u0001', '😀', '\ud800', '<script>']);
  return unit.repeat(Math.ceil(size / unit.length));
};

/** A value that has no business where it will stand. */
const stranger = (random: Random): unknown =>
  random.pick<() => unknown>([
    () => null,
    () => random.chance(0.5),
    () => random.below(2 ** 31) - 2 ** 30,
    () => random.pick(STRINGS),
    () => new Raw(random.pick(LITERALS)),
    () => new Raw(random.pick(LITERALS)),
    () => ({}),
    () => [],
    () => [[{}]],
    () => nested(random),
    () => huge(random),
    () => Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, index])),
  ])();

const newKey = (key: string, random: Random): string =>
  random.pick<() => string>([
    () => random.pick(KEYS),
    () => flipCase(key, random),
    () => `${key} `,
    () => key.toUpperCase(),
    () => key.slice(1),
    () => `${key}${'x'.repeat(random.below(5_000))}`,
  ])();

type Entry = [string, unknown];
const text = ([key, value]: Entry): string => `${JSON.stringify(key)}:${write(value)}`;
const fromTexts = (texts: readonly string[]): Map<number, string> => new Map(texts.entries());

/** Changes one entry of an object, or the entries as a whole. */
const spoilObject = (object: object, random: Random): unknown => {
  const entries: Entry[] = Object.entries(object);
  const at = random.below(entries.length);
  const entry = entries[at];
  if (!entry) return { [random.pick(KEYS)]: stranger(random) };
  const [key, value] = entry;
  const others = entries.filter((_, index) => index !== at);
  return random.pick<() => unknown>([
    () => Object.fromEntries(others),
    () => Object.fromEntries([...others, [newKey(key, random), value]]),
    () => Object.fromEntries([...others, [key, stranger(random)]]),
    () => Object.fromEntries([...others, [key, stranger(random)]]),
    () => Object.fromEntries([...entries, [random.pick(KEYS), stranger(random)]]),
    () => fromTexts([...entries, [key, random.chance(0.5) ? value : stranger(random)] as Entry].map(text)),
    () => fromTexts([...entries.map(text), `"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}":1`]),
    () => Object.fromEntries(entries.toReversed()),
    () => Object.fromEntries([...entries, [newKey(key, random), value]]),
  ])();
};

const spoil = (value: unknown, random: Random): unknown => {
  if (value instanceof Raw || value instanceof Map || random.chance(0.05)) return stranger(random);
  if (Array.isArray(value)) {
    if (value.length === 0 || random.chance(0.3)) return [...value, ...value, stranger(random)];
    const at = random.below(value.length);
    return value.map((item: unknown, index) => (index === at ? spoil(item, random) : item));
  }
  if (typeof value === 'string' && random.chance(0.5)) return value === '' ? huge(random) : flipCase(value, random);
  if (typeof value !== 'object' || value === null) return stranger(random);
  const entries: Entry[] = Object.entries(value);
  const inner = entries[random.below(entries.length)];
  if (!inner || random.chance(0.4)) return spoilObject(value, random);
  return { ...value, [inner[0]]: spoil(inner[1], random) };
};

/** Damages bytes: flips, cuts, repeats, strange encodings. */
const damage = (bytes: Buffer, random: Random): Buffer => {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.below(20));
  return random.pick<() => Buffer>([
    () => {
      const flipped = Buffer.from(bytes);
      for (let flips = 1 + random.below(4); flips > 0 && bytes.length > 0; flips -= 1) {
        const where = random.below(bytes.length);
        flipped[where] = (flipped[where] ?? 0) ^ (1 << random.below(8));
      }
      return flipped;
    },
    () => bytes.subarray(0, at),
    () => bytes.subarray(at),
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]),
    () => Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]),
    () =>
      Buffer.concat([bytes.subarray(0, at), Buffer.from([random.below(256), random.below(256)]), bytes.subarray(at)]),
    () => Buffer.concat([bytes, random.chance(0.5) ? bytes : Buffer.from('\n\u0000}')]),
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
    () => Buffer.from(bytes.toString('utf8'), 'utf16le'),
  ])();
};

/** A message as it is, or changed in its structure, in its bytes, or in both. */
export const mutate = (message: Message, random: Random): Buffer => {
  let value: unknown = message;
  if (random.chance(0.7)) for (let turns = 1 + random.below(3); turns > 0; turns -= 1) value = spoil(value, random);
  if (random.chance(0.04)) value = Array.from({ length: random.below(4) }, () => value);
  const bytes = Buffer.from(write(value));
  return random.chance(0.25) ? damage(bytes, random) : bytes;
};
