import type { Json, JsonObject } from '#call';
import { ExactNumber } from '#lib/exact-number';

const REDACTED = '[redacted]';
const MAX_TEXT = 2_000;
const MAX_TOTAL = 16_384;
const MAX_DEPTH = 12;
const MAX_ENTRIES = 200;

/** Keys are compared in lower case without punctuation, so that one word finds every way to write it. */
const SECRET_KEY =
  /passw(or)?d|passphrase|passcode|(^|db|user)pass$|^pwd$|secret|token|jwt|bearer|apikey|(access|private|signing|encryption|master|ssh|deploy|account)key|authori[sz]ation|auth$|credential|cookie|sessionid|signature/;
/** Keys that speak of a token without holding one. */
const ABOUT_TOKENS = /token(id|name|type|izer)$/;

/** Values that give themselves away, wherever they stand. None may start over within what it has looked at: texts are hostile. */
const SECRET_VALUES: readonly RegExp[] = [
  /\bpeta[a-z]*_[A-Za-z0-9_-]{20,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bglpat-[A-Za-z0-9_-]{16,}/g,
  /\b(npm|hf)_[A-Za-z0-9]{30,}/g,
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\b([sr]k_(live|test)|whsec)_[A-Za-z0-9]{16,}/g,
  /\bxox[abeprs]-[A-Za-z0-9-]{10,}/g,
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /\b(Bearer|Basic) [A-Za-z0-9._~+/=-]{8,}/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@]*:[^\s/@]+@/gi,
];

/** One line of text without likely secrets, of bounded length. */
export const redactSentence = (text: string): string => {
  const clean = SECRET_VALUES.reduce((rest, pattern) => rest.replace(pattern, REDACTED), text.slice(0, MAX_TEXT * 2));
  return clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}… (${text.length} characters)` : clean;
};

const isSecret = (key: string, value: Json | undefined): boolean => {
  if (value === null || value === undefined || typeof value === 'boolean') return false;
  const plain = key
    .slice(0, MAX_TEXT)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  if ((typeof value === 'number' || value instanceof ExactNumber) && plain.includes('tokens')) return false;
  return SECRET_KEY.test(plain) && !ABOUT_TOKENS.test(plain);
};

/** Cleans one value, and stops looking once it has kept as much as may be kept. */
const createWalk = () => {
  let left = MAX_TOTAL;
  const keep = (value: Json): Json => {
    left -= JSON.stringify(value).length + 1;
    return value;
  };
  const isFull = (count: number) => left <= 0 || count >= MAX_ENTRIES;

  const list = (items: readonly Json[], depth: number): Json => {
    const kept: Json[] = [];
    for (const item of items) {
      if (isFull(kept.length)) return [...kept, `… (${items.length} items)`];
      kept.push(walk(item, depth + 1));
    }
    return kept;
  };

  const object = (value: JsonObject, depth: number): Json => {
    const entries = Object.entries(value);
    const kept: [string, Json][] = [];
    for (const [key, item] of entries) {
      if (isFull(kept.length)) {
        kept.push(['…', `${entries.length} entries`]);
        break;
      }
      const name = redactSentence(key);
      keep(name);
      kept.push([name, isSecret(key, item) ? keep(REDACTED) : walk(item, depth + 1)]);
    }
    return Object.fromEntries(kept);
  };

  const walk = (value: Json | undefined, depth: number): Json => {
    if (typeof value === 'string') return keep(redactSentence(value));
    // As text, because whoever reads the line back would round the number.
    if (value instanceof ExactNumber) return keep(redactSentence(String(value)));
    if (typeof value !== 'object' || value === null) return keep(value ?? null);
    if (depth >= MAX_DEPTH) return keep('[nested too deep]');
    keep('');
    return Array.isArray(value) ? list(value, depth) : object(value, depth);
  };
  return walk;
};

/** What may be written down of arguments: likely secrets taken out, cut where it is too deep, long or large. */
export const redact = (value: JsonObject | undefined): Json => createWalk()(value, 0);
