import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCookies, isFromOwnPage, mayUseCookie } from './site.ts';

let publicUrl = 'http://127.0.0.1:3002';
const app = Fastify();
const cookies = createCookies(() => publicUrl);

beforeAll(async () => {
  app.all('/facts', async (request, reply) => {
    const read = cookies.read(request, 'peta_session') ?? null;
    cookies.write(request, reply, 'peta_session', 'new', 60);
    return { may: mayUseCookie(request), own: isFromOwnPage(request), read };
  });
  await app.ready();
});
afterAll(() => app.close());

const HOST = 'peta.example:3002';
const JSON_TYPE = { 'content-type': 'application/json' };
const ask = async (method: 'GET' | 'POST' | 'DELETE', headers: Record<string, string>) => {
  const hasBody = method !== 'GET' && 'content-type' in headers;
  const answer = await app.inject({
    method,
    url: '/facts',
    headers: { host: HOST, ...headers },
    ...(hasBody && { payload: '{}' }),
  });
  return {
    ...answer.json<{ may: boolean; own: boolean; read: string | null }>(),
    cookie: String(answer.headers['set-cookie']),
  };
};
const OWN = { origin: `http://${HOST}` };

describe('a cookie may speak for', () => {
  test.each([
    ['a change by JSON from an own page', 'POST', { ...OWN, ...JSON_TYPE }],
    ['one behind a proxy that ends TLS', 'POST', { origin: `https://${HOST}`, ...JSON_TYPE }],
    ['one that the browser calls same-origin', 'POST', { ...OWN, ...JSON_TYPE, 'sec-fetch-site': 'same-origin' }],
    ['a removal without a body', 'DELETE', OWN],
    ['reading', 'GET', {}],
    ['reading by an own page', 'GET', { ...OWN, 'sec-fetch-site': 'same-origin' }],
    ['reading by an address that was typed', 'GET', { 'sec-fetch-site': 'none' }],
  ] as const)('%s', async (_what, method, headers) => expect((await ask(method, headers)).may).toBe(true));
});

describe('a cookie may not speak for', () => {
  test.each([
    ['a change without Origin', 'POST', JSON_TYPE],
    ['a change from another port of the same machine', 'POST', { origin: 'http://peta.example:4000', ...JSON_TYPE }],
    ['a change from the port that http means', 'POST', { origin: 'http://peta.example', ...JSON_TYPE }],
    ['a change from a subdomain', 'POST', { origin: `http://sub.${HOST}`, ...JSON_TYPE }],
    ['a change from nowhere', 'POST', { origin: 'null', ...JSON_TYPE }],
    ['a change with an Origin that is more than one', 'POST', { origin: `http://${HOST}/x`, ...JSON_TYPE }],
    ['a change by another scheme', 'POST', { origin: `ftp://${HOST}`, ...JSON_TYPE }],
    ['a form', 'POST', { ...OWN, 'content-type': 'text/plain' }],
    ['a change that says nothing of its kind', 'POST', OWN],
    ['a change that the browser calls same-site', 'POST', { ...OWN, ...JSON_TYPE, 'sec-fetch-site': 'same-site' }],
    ['reading by another site', 'GET', { 'sec-fetch-site': 'cross-site' }],
    ['reading by another origin', 'GET', { origin: 'http://localhost:4000' }],
  ] as const)('%s', async (_what, method, headers) => expect((await ask(method, headers)).may).toBe(false));
});

describe('a cookie', () => {
  test('is for this host, kept from scripts and from other sites, and over TLS bound to both', async () => {
    expect((await ask('GET', {})).cookie).toBe('peta_session=new; Path=/; HttpOnly; SameSite=Lax; Max-Age=60');
    publicUrl = `https://${HOST}`;
    const secure = await ask('GET', { cookie: 'peta_session=planted; __Host-peta_session=true-one' });
    expect(secure.cookie).toBe('__Host-peta_session=new; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60');
    expect(secure.read).toBe('true-one');
    publicUrl = 'http://127.0.0.1:3002';
  });

  test('that came twice is none, because somebody else put one of them there', async () => {
    expect((await ask('GET', { cookie: 'a=b; peta_session=one' })).read).toBe('one');
    expect((await ask('GET', { cookie: 'peta_session=one; peta_session=two' })).read).toBeNull();
    expect((await ask('GET', { cookie: 'xpeta_session=one' })).read).toBeNull();
  });
});
