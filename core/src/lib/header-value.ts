/** Values that MCP repeats in HTTP headers (2026-07-28, Streamable HTTP, "Value Encoding"). */

const BASE64_START = '=?base64?';
const BASE64_END = '?=';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** What every hop leaves as it is: visible ASCII with spaces between. */
const PLAIN = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
const FIELD_VALUE = /^[\t -~]*$/;
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const OUTER_SPACE = /^[\t ]+|[\t ]+$/g;

const isEncoded = (text: string): boolean =>
  text.startsWith(BASE64_START) && text.endsWith(BASE64_END) && text.length >= BASE64_START.length + BASE64_END.length;

/** A text as a header carries it: as it is where that is safe, in the Base64 form otherwise. */
export const encodeHeader = (text: string): string =>
  PLAIN.test(text) && !isEncoded(text)
    ? text
    : `${BASE64_START}${Buffer.from(text, 'utf8').toString('base64')}${BASE64_END}`;

/** The text that a header carries, or undefined when it is none: foreign characters, broken Base64 or UTF-8. */
export const decodeHeader = (value: string): string | undefined => {
  const text = value.replace(OUTER_SPACE, '');
  if (!FIELD_VALUE.test(text)) return undefined;
  if (!isEncoded(text)) return text;
  const base64 = text.slice(BASE64_START.length, -BASE64_END.length);
  if (!BASE64.test(base64)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    return undefined;
  }
};

type Carried = string | number | boolean;

/** Can a header repeat this value? Texts, booleans and numbers that every language reads alike. */
export const isCarried = (value: unknown): value is Carried =>
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER);

/** Does the header say the same as the value? Numbers are compared as numbers, so that 42.0 is 42. */
export const carries = (header: string, value: Carried): boolean => {
  const text = decodeHeader(header);
  if (text === undefined) return false;
  return typeof value === 'number' ? NUMBER.test(text) && Number(text) === value : text === String(value);
};
