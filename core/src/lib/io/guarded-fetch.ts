import { lookup as resolve } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, fetch } from 'undici';
import { isPublicAddress } from './public-address.ts';

export type GuardedFetch = (url: string, init?: RequestInit) => Promise<Response>;

/** A request that was not sent, or whose answer was not taken. Its message is a sentence that names the host alone. */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused';
}

type Options = {
  /** Hosts, as in a URL without the port, that may be on a private network and be spoken to without TLS. */
  privateHosts: readonly string[];
  maxBytes: number;
  /** For everything: names, connecting, redirects, the body. */
  timeoutMs: number;
  /** The addresses of a name. */
  addressesOf?: (host: string) => Promise<readonly { address: string; family: number }[]>;
};

const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** What must not follow a redirect to another origin. */
const PERSONAL = ['authorization', 'cookie', 'proxy-authorization'];

const plain = (host: string): string =>
  host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();

const allAddresses = (host: string) => resolve(host, { all: true, verbatim: true });

/** The body, or a refusal once there is more than may be. */
const readBounded = async (body: AsyncIterable<Uint8Array> | null, maxBytes: number, host: string): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body ?? []) {
    size += part.byteLength;
    if (size > maxBytes) throw new FetchRefused(`The answer of ${host} is larger than ${maxBytes} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts);
};

/**
 * The one fetch for every address that others can steer. A name is resolved here, every address it has must be public,
 * and the connection is made to what was checked; redirects are followed by the same rules, without credentials to
 * another origin. Answers are read whole, within a bound. Rejects with `FetchRefused`.
 */
export const createGuardedFetch = (options: Options): GuardedFetch => {
  const { maxBytes, timeoutMs, addressesOf = allAddresses } = options;
  const privateHosts = new Set(options.privateHosts.map(plain));

  const check = async (host: string): Promise<readonly { address: string; family: number }[]> => {
    const found = isIP(host) ? [{ address: host, family: isIP(host) }] : await addressesOf(host);
    if (found.length === 0) throw new FetchRefused(`The name ${host} has no address.`);
    if (!privateHosts.has(plain(host)) && !found.every(({ address }) => isPublicAddress(address)))
      throw new FetchRefused(
        `${host} is on a private network, where Peta sends nothing that others ask for. If it is yours, name it in PETA_PRIVATE_HOSTS.`,
      );
    return found;
  };

  const lookup: LookupFunction = (host, { all }, done) => {
    check(host).then(
      (found) => (all ? done(null, [...found]) : done(null, found[0]?.address ?? '', found[0]?.family)),
      (error: NodeJS.ErrnoException) => done(error, ''),
    );
  };
  const dispatcher = new Agent({ connect: { lookup, timeout: timeoutMs }, connections: 16, maxHeaderSize: 64 * 1024 });

  /** Where a request may go; what undici's own look-up does not see, because it is an address already, is checked here. */
  const target = async (text: string, base?: URL): Promise<URL> => {
    if (!URL.canParse(text, base?.href)) throw new FetchRefused('That is not a URL.');
    const url = new URL(text, base?.href);
    const host = plain(url.hostname);
    const mayBePlain = privateHosts.has(host);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && mayBePlain))
      throw new FetchRefused(`${url.protocol}//${host} is refused: only https is taken.`);
    if (url.username !== '' || url.password !== '') throw new FetchRefused(`A URL at ${host} carries credentials.`);
    if (isIP(host)) await check(host);
    return url;
  };

  const follow = async (start: URL, init: RequestInit, signal: AbortSignal): Promise<Response> => {
    let url = start;
    let { method = 'GET', body } = init;
    const headers = new Headers(init.headers);
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const answer = await fetch(url, {
        method,
        headers: [...headers],
        body: body as never,
        redirect: 'manual',
        signal,
        dispatcher,
      });
      const location = answer.headers.get('location');
      if (!REDIRECTS.has(answer.status) || location === null || init.redirect === 'manual') {
        const bytes = await readBounded(answer.body, maxBytes, url.hostname);
        const isEmpty = answer.status === 204 || answer.status === 205 || answer.status === 304;
        const whole = new Response(isEmpty ? null : new Uint8Array(bytes), {
          status: answer.status,
          headers: [...answer.headers].filter(([name]) => name !== 'content-encoding' && name !== 'content-length'),
        });
        // openid-client and others compare it with what they asked for.
        Object.defineProperty(whole, 'url', { value: url.href });
        return whole;
      }
      await answer.body?.cancel();
      if (init.redirect === 'error') throw new FetchRefused(`${url.hostname} redirects, which is not taken here.`);
      const next = await target(location, url);
      if (next.origin !== url.origin) for (const name of PERSONAL) headers.delete(name);
      if (answer.status === 303 || (answer.status < 303 && method === 'POST')) {
        method = 'GET';
        body = null;
        headers.delete('content-type');
      }
      url = next;
    }
    throw new FetchRefused(`${start.hostname} redirects more than ${MAX_REDIRECTS} times.`);
  };

  return async (text, init = {}) => {
    const url = await target(text);
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(init.signal ? [init.signal] : [])]);
    try {
      return await follow(url, init, signal);
    } catch (error) {
      if (error instanceof FetchRefused || init.signal?.aborted) throw error;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      if (cause instanceof FetchRefused) throw cause;
      if (signal.aborted) throw new FetchRefused(`${url.hostname} did not answer within ${timeoutMs / 1000} s.`);
      const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
      throw new FetchRefused(`${url.hostname} could not be reached${code}.`, { cause: error });
    }
  };
};
