const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Schemes that run something, or show what they carry, instead of handing it to an application. */
const FORBIDDEN = new Set([
  'javascript:',
  'data:',
  'file:',
  'blob:',
  'about:',
  'vbscript:',
  'ftp:',
  'ws:',
  'wss:',
  'mailto:',
  'view-source:',
  'filesystem:',
  'chrome:',
  'intent:',
]);
const MAX_LENGTH = 2_000;

const isLoopback = ({ protocol, hostname }: URL): boolean => protocol === 'http:' && LOOPBACK.has(hostname);

/** Why an address is none that anything may be sent to, whatever the settings allow. */
const faultOf = (text: string): string | undefined => {
  if (text.length > MAX_LENGTH) return 'is too long';
  if (!/^[\x21-\x7e]+$/.test(text) || /[\\^`{}|"<>]/.test(text)) return 'has characters that no URI has';
  if (!URL.canParse(text)) return 'is not a URI';
  const url = new URL(text);
  if (FORBIDDEN.has(url.protocol)) return `uses the scheme ${url.protocol}, which is not one of an application`;
  if (text.includes('#')) return 'has a fragment';
  if (text.includes('*')) return 'has a wildcard';
  if (url.username || url.password || /^[^/?]*:\/\/[^/?]*@/.test(text)) return 'has a user name before its host';
  if (url.protocol === 'http:' && !LOOPBACK.has(url.hostname))
    return 'is plain http at an address that is not of the same machine';
  if (/\/(\.|%2e){1,2}(\/|\?|$)/i.test(text)) return 'has dots for a path';
  return undefined;
};

/** `https://*` is any host; `scheme://*` or `scheme:*` any address of it; `http://loopback` any port here; else a prefix. */
const matches = (text: string, pattern: string): boolean => {
  if (pattern === 'http://loopback') return isLoopback(new URL(text));
  if (!pattern.endsWith('*')) return text === pattern;
  return text.toLowerCase().startsWith(pattern.slice(0, -1).toLowerCase());
};

/** Which redirect addresses clients may register. `refusal` says why one may not be. */
export const createRedirectRules = (patterns: readonly string[]) => ({
  refusal(text: string): string | undefined {
    const fault = faultOf(text);
    if (fault) return `The redirect URI ${fault}.`;
    if (patterns.some((pattern) => matches(text, pattern))) return undefined;
    return 'The redirect URI is of a kind that this Peta does not allow: PETA_OAUTH_REDIRECT_PATTERNS lists those that are.';
  },
});

export type RedirectRules = ReturnType<typeof createRedirectRules>;

const withoutPort = (text: string): string | undefined => {
  if (!URL.canParse(text) || faultOf(text)) return undefined;
  const url = new URL(text);
  if (!isLoopback(url)) return undefined;
  return `${url.hostname}${url.pathname}${url.search}`;
};

/** Exactly one that was registered; on the loopback interface the port may be another (RFC 8252, 7.3). */
export const isRegistered = (text: string, registered: readonly string[]): boolean => {
  if (registered.includes(text)) return true;
  const plain = withoutPort(text);
  return plain !== undefined && registered.some((one) => withoutPort(one) === plain);
};

/** Whether any program on the machine could receive what is sent there. */
export const isLocal = (text: string): boolean => !URL.canParse(text) || new URL(text).protocol !== 'https:';

/** Where an answer goes, for people. */
export const placeOf = (text: string): string => {
  if (!URL.canParse(text)) return 'an unknown place';
  const url = new URL(text);
  if (isLoopback(url)) return 'a program on this computer';
  return url.protocol === 'https:' ? url.host : `the application that opens ${url.protocol} links`;
};

/** What the form of a page may lead to, as a Content-Security-Policy source. */
export const formTargetOf = (text: string): string | undefined => {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.origin : url.protocol;
};
