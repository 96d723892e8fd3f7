import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
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

const ADA = { sub: 'ada-1', email: 'Ada.Lovelace@Example.com', email_verified: true, name: 'Ada Lovelace' };
const isCallback = (url: URL) => url.pathname.endsWith('/callback');
const refusals = () => sso.seen.audit.filter(({ outcome }) => outcome === 'refused').map(({ error }) => error);

/** Replaces the ID token on its way from the provider. */
const forge = (make: (claims: JWTPayload) => Promise<string> | string) => {
  sso.world.fetch = async (url, init) => {
    const response = await fetch(url, init);
    if (!url.endsWith('/token')) return response;
    const body = (await response.json()) as { id_token: string };
    const claims = JSON.parse(Buffer.from(body.id_token.split('.')[1] ?? '', 'base64url').toString()) as JWTPayload;
    return Response.json({ ...body, id_token: await make(claims) });
  };
};
const sign = (claims: JWTPayload, key = idp.privateKey) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'company' }).sign(key);

describe('signing in by OpenID Connect', () => {
  test('somebody new gets an account, and goes on to where they wanted', async () => {
    await sso.addOidc(idp);
    idp.signIn(ADA);
    const { text, who, url } = await sso.signIn(createBrowser(), '/elsewhere?a=b');
    expect([text, url.search]).toEqual(['Somewhere else', '?a=b']);
    expect(who).toEqual({ workspaceId: 'default', userId: 'ada.lovelace', methods: ['oidc'], providerId: 'company' });
    expect(await sso.person('ada.lovelace')).toMatchObject({
      name: 'Ada Lovelace',
      email: 'ada.lovelace@example.com',
      role: 3,
    });
    expect(sso.seen.audit).toMatchObject([
      { operation: 'sso.created', userId: 'ada.lovelace', outcome: 'done' },
      {
        operation: 'sso.signIn',
        userId: 'ada.lovelace',
        outcome: 'done',
        details: { provider: 'company', method: 'oidc' },
      },
    ]);
    expect(sso.seen.audit[1]?.workspaceId).toBe('default');
  });

  test('somebody known is the same person again, whatever their address is now', async () => {
    await sso.addOidc(idp);
    idp.signIn(ADA);
    await sso.signIn();
    idp.signIn({ ...ADA, email: 'countess@example.com' });
    expect((await sso.signIn()).who?.userId).toBe('ada.lovelace');
    expect(await sso.query('select id from "user"')).toHaveLength(1);
  });

  test('two people of one name get two ids, and nobody gets the id of the machine', async () => {
    await sso.addOidc(idp);
    idp.signIn(ADA);
    await sso.signIn();
    idp.signIn({ ...ADA, sub: 'ada-2', email: 'ada.lovelace@other.example' });
    expect((await sso.signIn()).who?.userId).toBe('ada.lovelace-2');
    idp.signIn({ sub: 'm', email: 'machine@example.com', email_verified: true });
    expect((await sso.signIn()).who?.userId).toBe('machine-2');
  });

  test('what the ID token lacks is asked of the userinfo endpoint', async () => {
    const other = await startOidcIdp({ byUserinfo: true });
    await sso.addOidc(other, { defaultRole: null, groups: [{ group: 'staff', role: 3 }] });
    other.signIn({ ...ADA, groups: ['staff'] });
    expect((await sso.signIn()).who?.userId).toBe('ada.lovelace');
    await other.close();
  });

  test('the enabled providers are offered, and no others', async () => {
    await sso.addOidc(idp);
    await sso.addOidc(idp, {}, {}, 'other');
    await sso.store.update('default', 'other', { enabled: false });
    expect(await sso.providers('default')).toEqual([{ id: 'company', name: 'The <Company>', kind: 'oidc' }]);
    expect(await sso.providers('another-workspace')).toEqual([]);
    expect((await sso.signIn(createBrowser(), '/account', 'other')).status).toBe(404);
  });

  test('whoever begins at another name of this host is led to the one that the provider knows', async () => {
    await sso.addOidc(idp);
    idp.signIn(ADA);
    const browser = createBrowser();
    const { url } = await browser.open(`${sso.addressOf('company').replace('127.0.0.1', 'localhost')}?next=/elsewhere`);
    expect([url.origin, url.pathname]).toEqual([sso.baseUrl, '/elsewhere']);
  });

  test('two tabs may sign in at once', async () => {
    await sso.addOidc(idp);
    idp.signIn(ADA);
    const browser = createBrowser();
    const first = await browser.open(`${sso.addressOf('company')}?next=/elsewhere`, isCallback);
    const second = await browser.open(sso.addressOf('company'), isCallback);
    expect((await browser.open(second.url)).text).toBe('The account page');
    expect((await browser.open(first.url)).text).toBe('Somewhere else');
  });

  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/a\nb',
    'javascript:alert(1)',
    '/../..//evil.example',
  ])('nobody is sent on to %j', async (next) => {
    await sso.addOidc(idp);
    idp.signIn(ADA);
    const { url } = await sso.signIn(createBrowser(), next);
    expect([url.origin, url.pathname]).toEqual([sso.baseUrl, '/account']);
  });
});

describe('what is not the answer to our own question', () => {
  const refused = async (address: URL, browser = createBrowser()) => {
    const { status, text } = await browser.open(address);
    expect([status, sso.who(browser)]).toEqual([403, undefined]);
    expect(sso.seen.audit.some(({ outcome, operation }) => outcome === 'done' && operation === 'sso.signIn')).toBe(
      false,
    );
    return text;
  };

  beforeEach(async () => {
    await sso.addOidc(idp);
    idp.signIn(ADA);
  });

  test('a callback in another browser signs nobody in', async () => {
    const { url } = await createBrowser().open(sso.addressOf('company'), isCallback);
    expect(await refused(url)).toContain('not begun in this browser');
    const victim = createBrowser();
    await victim.open(sso.addressOf('company'), isCallback);
    await refused(url, victim);
    expect(refusals()[0]).toMatch(/^not-begun: /);
  });

  test('another state signs nobody in', async () => {
    const browser = createBrowser();
    const { url } = await browser.open(sso.addressOf('company'), isCallback);
    url.searchParams.set('state', 'another');
    await refused(url, browser);
    url.searchParams.delete('state');
    await refused(url, browser);
  });

  test('a callback is good once', async () => {
    const browser = createBrowser();
    const { url } = await browser.open(sso.addressOf('company'), isCallback);
    expect((await browser.open(url)).text).toBe('The account page');
    expect((await browser.open(url)).status).toBe(403);
  });

  test('a callback is good for ten minutes', async () => {
    const browser = createBrowser();
    const { url } = await browser.open(sso.addressOf('company'), isCallback);
    sso.world.lateMs = 10 * 60_000 + 1_000;
    await refused(url, browser);
  });

  test('an answer that says it is of another issuer is refused', async () => {
    const browser = createBrowser();
    const { url } = await browser.open(sso.addressOf('company'), isCallback);
    expect(url.searchParams.get('iss')).toBe(idp.issuer);
    url.searchParams.set('iss', 'https://another.example');
    await refused(url, browser);
    expect(refusals()).toEqual([expect.stringContaining('not-believed')]);
  });

  test('an answer is not good at another provider', async () => {
    await sso.addOidc(idp, {}, {}, 'other');
    const browser = createBrowser();
    const { url } = await browser.open(sso.addressOf('company'), isCallback);
    url.pathname = url.pathname.replace('/company/', '/other/');
    await refused(url, browser);
  });

  test('a provider that is switched off, changed or removed meanwhile signs nobody in', async () => {
    for (const end of [
      () => sso.store.update('default', 'company', { name: 'Changed' }),
      () => sso.store.update('default', 'company', { enabled: false }),
    ]) {
      const browser = createBrowser();
      const { url } = await browser.open(sso.addressOf('company'), isCallback);
      await end();
      expect(await refused(url, browser)).toContain('switched off or changed');
    }
    await sso.store.update('default', 'company', { enabled: true });
    const browser = createBrowser();
    const { url } = await browser.open(sso.addressOf('company'), isCallback);
    await sso.store.remove('default', 'company');
    expect((await browser.open(url)).status).toBe(404);
    expect(sso.who(browser)).toBeUndefined();
  });

  test('a provider that is switched off while the code is exchanged signs nobody in', async () => {
    const browser = createBrowser();
    const { url } = await browser.open(sso.addressOf('company'), isCallback);
    sso.world.fetch = async (address, init) => {
      if (address.endsWith('/token')) await sso.store.update('default', 'company', { enabled: false });
      return fetch(address, init);
    };
    expect(await refused(url, browser)).toContain('switched off or changed');
  });

  test('only the form of a SAML provider may come from another site', async () => {
    for (const path of ['', '/callback', '/answer', '/metadata']) {
      const response = await fetch(sso.addressOf('company') + path, { headers: { origin: 'https://evil.example' } });
      expect([response.status, await response.json()]).toMatchObject([403, { code: 'FOREIGN_ORIGIN' }]);
    }
  });

  test('what the provider says when it refuses is shown as text, and only in the browser that asked', async () => {
    idp.signIn(undefined);
    const browser = createBrowser();
    const { url } = await browser.open(sso.addressOf('company'), isCallback);
    const text = await refused(url, browser);
    expect(text).toContain('The &lt;Company&gt; did not sign you in: access_denied, &lt;b&gt;Not&lt;/b&gt; today');
    const strange = new URL(`${sso.addressOf('company')}/callback?error=x&error_description=Call+0900&state=y`);
    expect(await refused(strange)).not.toContain('0900');
  });

  test.each<[string, (claims: JWTPayload) => Promise<string> | string]>([
    ['with another nonce', (claims) => sign({ ...claims, nonce: 'another' })],
    ['without a nonce', ({ nonce: _, ...claims }) => sign(claims)],
    ['of another issuer', (claims) => sign({ ...claims, iss: 'https://another.example' })],
    ['for another client', (claims) => sign({ ...claims, aud: 'another' })],
    ['for another client too', (claims) => sign({ ...claims, aud: ['peta', 'another'], azp: 'another' })],
    ['that has expired', (claims) => sign({ ...claims, exp: Math.floor(Date.now() / 1000) - 120 })],
    ['that is not signed', (claims) => new UnsecuredJWT(claims).encode()],
    ['signed by somebody else', async (claims) => sign(claims, (await generateKeyPair('RS256')).privateKey)],
    [
      'signed with the public key as a shared secret',
      async (claims) =>
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'HS256', kid: 'company' })
          .sign(Buffer.from(JSON.stringify(await exportJWK(idp.privateKey)))),
    ],
    [
      'signed with the client secret',
      (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(idp.secret)),
    ],
  ])('an ID token %s is refused', async (_what, make) => {
    const browser = createBrowser();
    const { url } = await browser.open(sso.addressOf('company'), isCallback);
    forge(make);
    await refused(url, browser);
    expect(refusals()).toEqual([expect.stringMatching(/^not-believed: /)]);
    expect(await sso.query('select id from "user"')).toEqual([]);
  });

  test('the same token unchanged is taken, so that the refusals above are for what they say', async () => {
    forge((claims) => sign(claims));
    expect((await sso.signIn()).who?.userId).toBe('ada.lovelace');
  });
});
