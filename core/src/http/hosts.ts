/** Whose browser pages and which names may reach this process: the guard against DNS rebinding. */
export type HostRules = { allowedHosts: readonly string[]; allowedOrigins: readonly string[] };

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);
const IP_LITERAL = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/i;

const hostname = (host: string): string | undefined => {
  const match = /^(\[[^\]]+\]|[^:/@\s]+)(:\d{1,5})?$/.exec(host);
  return match?.[1]?.toLowerCase();
};

/** A name that somebody else can point at us is foreign; an address cannot be pointed. */
export const isAllowedHost = (host: string | undefined, { allowedHosts }: HostRules): boolean => {
  const name = host === undefined ? undefined : hostname(host);
  if (name === undefined) return false;
  return (
    LOOPBACK_NAMES.has(name) || IP_LITERAL.test(name) || allowedHosts.some((allowed) => allowed.toLowerCase() === name)
  );
};

/** An origin may call when it is this very host, a page on this machine, or named in the settings. */
export const isAllowedOrigin = (origin: string | undefined, host: string | undefined, rules: HostRules): boolean => {
  if (origin === undefined) return true;
  if (rules.allowedOrigins.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const { host: originHost, hostname: originName, protocol } = new URL(origin);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  return LOOPBACK_NAMES.has(originName) || originHost === host;
};
