const ORIGIN = 'http://peta.invalid';
const MAX = 2_000;
/** Where somebody goes who asked for nothing else. */
const HOME = '/account';

/** A path of this very host: what starts with one slash, also once a browser has read it. */
const isLocal = (path: string): boolean => /^\/(?![/\\])/.test(path);

/** Where to go after signing in: the path that was asked for, or home where it leads, or could lead, anywhere else. */
export const safeNext = (next: unknown): string => {
  if (typeof next !== 'string' || next.length > MAX || !isLocal(next)) return HOME;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop them, and what is left may be another host.
  if (/[\\\u0000-\u0020\u007f]/.test(next) || !URL.canParse(next, ORIGIN)) return HOME;
  const { origin, pathname, search, hash } = new URL(next, ORIGIN);
  return origin === ORIGIN && isLocal(pathname) ? pathname + search + hash : HOME;
};
