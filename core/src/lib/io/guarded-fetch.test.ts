import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGuardedFetch, FetchRefused } from './guarded-fetch.ts';

const seen: { url: string; method: string; headers: Record<string, unknown> }[] = [];
const PAGES: Record<string, RequestListener> = {
  '/hello': (_request, response) => response.end('hello'),
  '/large': (_request, response) => response.end('x'.repeat(20_000)),
  '/bomb': (_request, response) =>
    response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(5_000_000))),
  '/silent': () => {},
  '/drip': (_request, response) => {
    const timer = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(timer));
  },
  '/empty': (_request, response) => response.writeHead(204).end(),
  '/loop': (_request, response) => response.writeHead(302, { location: '/loop' }).end(),
  '/here': (_request, response) => response.writeHead(302, { location: '/hello' }).end(),
  '/after-post': (_request, response) => response.writeHead(302, { location: '/hello' }).end(),
};

let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = request.url ?? '';
    seen.push({ url, method: request.method ?? '', headers: request.headers });
    const to = new URL(url, 'http://x').searchParams.get('to');
    if (to !== null) return response.writeHead(307, { location: to }).end();
    return (PAGES[url] ?? ((_request, answer) => answer.writeHead(404).end()))(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen.length = 0;
});

const NAMES: Record<string, string[]> = {
  'inside.test': ['127.0.0.1'],
  'other.test': ['127.0.0.1'],
  'evil.test': ['127.0.0.1'],
  'half.test': ['93.184.216.34', '127.0.0.1'],
  'nowhere.test': [],
};
const asked: string[] = [];
const get = createGuardedFetch({
  privateHosts: ['inside.test', 'Other.Test'],
  maxBytes: 10_000,
  timeoutMs: 1_000,
  addressesOf: async (host) => {
    asked.push(host);
    return (NAMES[host] ?? []).map((address) => ({ address, family: 4 }));
  },
});
const inside = (path: string) => `http://inside.test:${port}${path}`;
const refusalOf = async (url: string, init?: RequestInit): Promise<string> => {
  const error: unknown = await get(url, init).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FetchRefused);
  return (error as Error).message;
};

describe('what it reaches', () => {
  test('a host that was named, over the address that was checked', async () => {
    asked.length = 0;
    const answer = await get(inside('/hello'));
    expect([answer.status, await answer.text(), answer.url]).toEqual([200, 'hello', inside('/hello')]);
    expect(asked).toEqual(['inside.test']);
  });

  test('an answer without a body', async () => expect((await get(inside('/empty'))).status).toBe(204));

  test('what a redirect on the same host leads to, with what was sent', async () => {
    const answer = await get(inside('/here'), { headers: { authorization: 'Bearer x' } });
    expect(await answer.text()).toBe('hello');
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer x', 'Bearer x']);
  });

  test('another origin by redirect, without credentials', async () => {
    const to = encodeURIComponent(`http://other.test:${port}/hello`);
    await get(inside(`/?to=${to}`), { headers: { authorization: 'Bearer x', cookie: 'a=b', accept: 'text/plain' } });
    expect(seen.at(-1)?.headers).toMatchObject({ accept: 'text/plain' });
    expect(seen.at(-1)?.headers).not.toHaveProperty('authorization');
    expect(seen.at(-1)?.headers).not.toHaveProperty('cookie');
  });

  test('a POST that is redirected becomes a GET', async () => {
    await get(inside('/after-post'), { method: 'POST', body: 'x' });
    expect(seen.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });
});

describe('what it refuses', () => {
  test.each([
    ['a name that leads inside', 'https://evil.test/'],
    ['a name of which one address leads inside', 'https://half.test/'],
    ['loopback', 'https://127.0.0.1/'],
    ['loopback in decimal', 'https://2130706433/'],
    ['loopback in octal', 'https://0177.0.0.1/'],
    ['loopback, short', 'https://127.1/'],
    ['loopback of IPv6', 'https://[::1]/'],
    ['loopback mapped into IPv6', 'https://[::ffff:127.0.0.1]/'],
    ['metadata', 'https://169.254.169.254/latest'],
  ])('%s', async (_what, url) => {
    expect(await refusalOf(url)).toMatch(/is on a private network/);
    expect(seen).toEqual([]);
  });

  test.each([
    ['plain http to a host that was not named', 'http://public.test/', /only https/],
    ['another scheme', 'file:///etc/passwd', /only https/],
    ['another scheme', 'data:text/plain,x', /only https/],
    ['credentials', 'https://user:pass@inside.test/', /carries credentials/],
    ['no URL', 'nonsense', /not a URL/],
    ['a name without an address', 'https://nowhere.test/', /has no address/],
  ])('%s', async (_what, url, reason) => expect(await refusalOf(url)).toMatch(reason));

  test('a redirect inside, to plain http, or without end', async () => {
    const to = (url: string) => inside(`/?to=${encodeURIComponent(url)}`);
    expect(await refusalOf(to('https://169.254.169.254/'))).toMatch(/private network/);
    expect(await refusalOf(to('https://evil.test/'))).toMatch(/private network/);
    expect(await refusalOf(to('http://public.test/'))).toMatch(/only https/);
    expect(await refusalOf(inside('/loop'))).toMatch(/redirects more than/);
    expect(await refusalOf(inside('/here'), { redirect: 'error' })).toMatch(/redirects, which is not taken/);
    expect((await get(inside('/here'), { redirect: 'manual' })).status).toBe(302);
  });

  test('more than it may take, also once it is unpacked', async () => {
    expect(await refusalOf(inside('/large'))).toMatch(/larger than 10000 bytes/);
    expect(await refusalOf(inside('/bomb'))).toMatch(/larger than 10000 bytes/);
  });

  test('what is silent or never ends', async () => {
    expect(await refusalOf(inside('/silent'))).toMatch(/did not answer within 1 s/);
    expect(await refusalOf(inside('/drip'))).toMatch(/did not answer within 1 s/);
  });

  test('nothing that its caller gave up itself', async () => {
    const abort = new AbortController();
    const pending = get(inside('/silent'), { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(pending).rejects.not.toBeInstanceOf(FetchRefused);
  });

  test('a host where nobody listens, in words', async () => {
    const closed = createServer();
    await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
    const { port: free } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    expect(await refusalOf(`http://inside.test:${free}/`)).toMatch(/inside.test could not be reached \(ECONNREFUSED\)/);
  });
});
