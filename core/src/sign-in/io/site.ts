import type { FastifyReply, FastifyRequest } from 'fastify';

const hostOf = ({ headers }: FastifyRequest): string => headers.host ?? '';

/** The origin of this very host that a request names as the page it came from; undefined for any other or none. */
export const ownOrigin = (request: FastifyRequest): string | undefined => {
  const { origin } = request.headers;
  if (origin === undefined || !URL.canParse(origin)) return undefined;
  const url = new URL(origin);
  if (url.origin !== origin || url.host !== hostOf(request).toLowerCase()) return undefined;
  const isWeb = url.protocol === 'https:' || (url.protocol === 'http:' && request.protocol === 'http');
  return isWeb ? origin : undefined;
};

const site = ({ headers }: FastifyRequest): string | undefined =>
  typeof headers['sec-fetch-site'] === 'string' ? headers['sec-fetch-site'] : undefined;

/** Does a page of this very host send this? Browsers say so with every request that could change something. */
export const isFromOwnPage = (request: FastifyRequest): boolean =>
  ownOrigin(request) !== undefined && (site(request) ?? 'same-origin') === 'same-origin';

/** May the cookie speak for who sends this? Whatever could change something must come, as JSON, from our own pages. */
export const mayUseCookie = (request: FastifyRequest): boolean => {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    const isJson = /^application\/json *(;|$)/i.test(headers['content-type'] ?? '');
    return isFromOwnPage(request) && (isJson || (method === 'DELETE' && headers['content-type'] === undefined));
  }
  const from = site(request) ?? 'same-origin';
  if (headers.origin !== undefined && ownOrigin(request) === undefined) return false;
  return from === 'same-origin' || from === 'none';
};

/** Cookies of this application. Over TLS each is bound to this very host (`__Host-`) and to TLS. */
export const createCookies = (baseUrl: () => string) => {
  const isSecure = (request: FastifyRequest): boolean => {
    if (request.protocol === 'https') return true;
    // Behind a proxy that ends TLS only the public address tells.
    const url = new URL(baseUrl());
    return url.protocol === 'https:' && url.host === hostOf(request).toLowerCase();
  };
  const nameFor = (request: FastifyRequest, name: string) => (isSecure(request) ? `__Host-${name}` : name);

  return {
    read(request: FastifyRequest, name: string): string | undefined {
      const wanted = `${nameFor(request, name)}=`;
      const found = (request.headers.cookie ?? '')
        .split(';')
        .map((part) => part.trim())
        .filter((part) => part.startsWith(wanted));
      // Two of one name: somebody else put one of them there.
      return found.length === 1 ? found[0]?.slice(wanted.length) : undefined;
    },
    /** No `maxAgeSeconds`: until the browser ends. */
    write(request: FastifyRequest, reply: FastifyReply, name: string, value: string, maxAgeSeconds?: number): void {
      const parts = [`${nameFor(request, name)}=${value}`, 'Path=/', 'HttpOnly', 'SameSite=Lax'];
      if (isSecure(request)) parts.push('Secure');
      if (maxAgeSeconds !== undefined) parts.push(`Max-Age=${maxAgeSeconds}`);
      reply.header('set-cookie', parts.join('; '));
    },
    clear(request: FastifyRequest, reply: FastifyReply, name: string): void {
      this.write(request, reply, name, '', 0);
    },
  };
};

export type Cookies = ReturnType<typeof createCookies>;
