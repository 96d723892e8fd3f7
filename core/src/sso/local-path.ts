const HERE = 'http://peta.invalid';

/** A path of this very host to go on to, or the account page: nobody is sent elsewhere. */
export const localPath = (next: unknown, fallback = '/account'): string => {
  if (typeof next !== 'string' || next.length > 2_000 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(next)) return fallback;
  if (next.includes('\\') || !URL.canParse(next, HERE)) return fallback;
  const url = new URL(next, HERE);
  return url.origin === HERE && !url.pathname.startsWith('//') ? `${url.pathname}${url.search}${url.hash}` : fallback;
};
