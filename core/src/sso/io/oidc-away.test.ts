import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createBrowser } from '../../../../e2e/harness/browser.ts';
import { type OidcIdp, startOidcIdp } from '../../../../e2e/harness/oidc-idp.ts';
import { createTestSso, type TestSso } from '../../build/test-sso.ts';

let sso: TestSso;
let idp: OidcIdp;

beforeAll(async () => {
  sso = await createTestSso();
  idp = await startOidcIdp();
});
afterAll(async () => {
  await idp.close();
  await sso.close();
});
beforeEach(() => sso.clear());

const ADA = { sub: 'ada-1', email: 'ada@example.com', email_verified: true };
const isCallback = (url: URL) => url.pathname.endsWith('/callback');
const refusals = () => sso.seen.audit.filter(({ outcome }) => outcome === 'refused').map(({ error }) => error);

describe('a provider that is away', () => {
  test('is told of within a bounded time, and what to do', async () => {
    await sso.addOidc(idp, {}, { issuer: 'http://127.0.0.1:9' });
    const { status, text } = await sso.signIn();
    expect([status, text]).toEqual([502, expect.stringContaining('does not answer as it should right now')]);
    expect(text).toContain('Try again in a moment');
    expect(refusals()).toEqual([expect.stringMatching(/^provider-unreachable: /)]);
  });

  test('and never answers is given up', async () => {
    await sso.addOidc(idp);
    sso.world.fetch = (_url, init) =>
      new Promise((_done, fail) => init?.signal?.addEventListener('abort', () => fail(init.signal?.reason)));
    const began = Date.now();
    expect((await sso.signIn()).status).toBe(502);
    expect(Date.now() - began).toBeLessThan(8_000);
  });

  test('while the code is exchanged is told of too', async () => {
    await sso.addOidc(idp);
    idp.signIn(ADA);
    const browser = createBrowser();
    const { url } = await browser.open(sso.addressOf('company'), isCallback);
    sso.world.fetch = () => Promise.reject(new TypeError('fetch failed'));
    expect((await browser.open(url)).status).toBe(502);
    expect(sso.seen.faults).toEqual([]);
  });

  test('or stands for another issuer gets nobody, and no secret', async () => {
    const impostor = await startOidcIdp();
    await sso.addOidc(idp);
    const asked: string[] = [];
    sso.world.fetch = (url, init) => {
      asked.push(url);
      return fetch(url.replace(idp.issuer, impostor.issuer), init);
    };
    expect((await sso.signIn()).status).toBe(502);
    expect(asked).toEqual([`${idp.issuer}/.well-known/openid-configuration`]);
    await impostor.close();
  });
});

test('more sign-ins than people can begin in a minute are turned away', async () => {
  await sso.addOidc(idp);
  const answers = await Promise.all(Array.from({ length: 330 }, () => fetch(sso.addressOf('nobody'))));
  expect(answers.map(({ status }) => status)).toContain(429);
});
