import type { Json, JsonObject } from '#call';

const REDACTED = '[redacted]';
const MAX_TEXT = 2_000;
const MAX_TOTAL = 16_384;
const MAX_DEPTH = 12;
const MAX_ENTRIES = 200;

const SECRET_KEY =
  /pass(word|wd|phrase|code)?$|^pwd$|secret|token$|api[-_ ]?key|access[-_ ]?key|private[-_ ]?key|authori[sz]ation|credential|cookie|session[-_ ]?id|client[-_ ]?secret|^auth$|signature$/i;

/** Values that give themselves away, wherever they stand. */
const SECRET_VALUES: readonly RegExp[] = [
  /\bpeta(setup)?_[A-Za-z0-9_-]{20,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\bxox[abeprs]-[A-Za-z0-9-]{10,}/g,
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g,
  /\b(Bearer|Basic) [A-Za-z0-9._~+/=-]{8,}/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]+):[^\s/@]+@/gi,
];

const redactText = (text: string): string => {
  const clean = SECRET_VALUES.reduce((rest, pattern) => rest.replace(pattern, REDACTED), text.slice(0, MAX_TEXT * 2));
  return clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}… (${text.length} characters)` : clean;
};

const redactValue = (value: Json | undefined, depth: number): Json => {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (depth >= MAX_DEPTH) return '[nested too deep]';
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ENTRIES).map((item) => redactValue(item, depth + 1));
    return value.length > MAX_ENTRIES ? [...items, `… (${value.length} items)`] : items;
  }
  const entries = Object.entries(value).slice(0, MAX_ENTRIES);
  const clean = entries.map(([key, item]): [string, Json] => [
    redactText(key),
    SECRET_KEY.test(key) && item !== null && typeof item !== 'boolean' ? REDACTED : redactValue(item, depth + 1),
  ]);
  return Object.fromEntries(clean);
};

/** What may be written down of arguments: likely secrets taken out, bounded in depth, length and size. */
export const redact = (value: JsonObject | undefined): Json => {
  if (value === undefined) return null;
  const clean = redactValue(value, 0);
  const size = JSON.stringify(clean).length;
  return size <= MAX_TOTAL ? clean : { '[too large to keep]': `${size} characters` };
};

/** One line of text without likely secrets. */
export const redactSentence = (text: string): string => redactText(text);
