import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestSignIn, ORIGIN, PASSWORD, type TestSignIn } from './test-sign-in.ts';

let peta: TestSignIn;
beforeAll(async () => {
  peta = await createTestSignIn();
});
afterAll(() => peta.close());
beforeEach(() => peta.reset());

describe('signing in', () => {
  test('leads on to the page that was asked for, and is written down without a secret', async () => {
    const visitor = peta.createVisitor();
    expect((await visitor.get('/account')).to).toBe('/sign-in?next=/account');
    expect((await visitor.get('/sign-in?next=/account')).text).toContain('name="next" value="/account"');
    expect(await visitor.enter({ next: '/account?x=1' })).toMatchObject({ status: 303, to: '/account?x=1' });
    expect(await visitor.isIn()).toBe(true);
    expect((await visitor.get('/sign-in?next=/oauth/interaction/1')).to).toBe('/oauth/interaction/1');
    expect(peta.operations()).toEqual(['sign-in done ada']);
    expect(JSON.stringify([peta.seen.notes, peta.seen.published])).not.toMatch(
      new RegExp(`${PASSWORD}|${visitor.session()}`),
    );
  });

  test('goes on to what may lead to another site by a page of its own', async () => {
    const { status, headers, text } = await peta.createVisitor().enter({ next: '/oauth/interaction/1' });
    expect([status, headers.refresh]).toEqual([200, '0; url=/oauth/interaction/1']);
    expect(text).toContain('href="/oauth/interaction/1"');
  });

  test.each(['//evil.example', '/\\evil.example', 'https:evil.example', '%2f%2fevil.example', '/.//evil.example'])(
    'never leads to another site: %s',
    async (next) => {
      expect((await peta.createVisitor().enter({ next })).to).toBe('/account');
      const visitor = await peta.signedIn();
      expect((await visitor.get(`/sign-in?next=${encodeURIComponent(next)}`)).to).toBe('/account');
    },
  );

  test('always makes a new cookie, whatever one was there before, and ends that one', async () => {
    const visitor = peta.createVisitor();
    visitor.jar.set('peta_session', 'planted-by-somebody-else');
    await visitor.enter();
    const first = visitor.session() ?? '';
    expect(first).toMatch(/^petasignin_[\w-]{43}$/);
    await visitor.enter();
    expect(visitor.session()).not.toBe(first);
    const old = peta.createVisitor();
    old.jar.set('peta_session', first);
    expect([await old.isIn(), await visitor.isIn()]).toEqual([false, true]);
  });

  test('answers the same for nobody as for a wrong password', async () => {
    const strip = (text: string) => text.replace(/value="(ada|nobody)"/, '');
    const wrong = await peta.createVisitor().enter({ password: 'wrong' });
    const nobody = await peta.createVisitor().enter({ name: 'nobody' });
    expect([wrong.status, nobody.status]).toEqual([401, 401]);
    expect(strip(nobody.text)).toBe(strip(wrong.text));
    expect(wrong.text).toContain('autofocus id="errors"');
    expect(peta.operations()).toEqual(['sign-in refused ada', 'sign-in refused null']);
  });

  test('is refused with Retry-After after five failures, to others only', async () => {
    const [owner, stranger] = [await peta.signedIn('198.51.100.7'), peta.createVisitor('203.0.113.5')];
    for (let i = 0; i < 5; i += 1) expect((await stranger.enter({ password: 'wrong' })).status).toBe(401);
    const refused = await stranger.enter();
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1']);
    expect(refused.text).toContain('Wait 1 second');
    // The browser of the person, even at the stranger's network.
    const moved = peta.createVisitor('203.0.113.5');
    for (const [name, value] of owner.jar) if (name !== 'peta_session') moved.jar.set(name, value);
    expect((await moved.enter()).status).toBe(303);
    peta.seen.clock += 1_001;
    expect((await stranger.enter()).status).toBe(303);
  });

  test('takes a known browser for known only with the person it knows', async () => {
    const owner = await peta.signedIn();
    const [name = '', mark = ''] = [...owner.jar].find(([one]) => one.startsWith('peta_known_')) ?? [];
    const thief = peta.createVisitor('203.0.113.5');
    for (const one of [name, 'peta_known_00000000']) thief.jar.set(one, mark);
    for (let i = 0; i < 5; i += 1) await thief.enter({ name: 'bob', password: 'wrong' });
    expect((await thief.enter({ name: 'bob' })).status).toBe(429);
    const forger = peta.createVisitor('203.0.113.6');
    forger.jar.set(name, `${mark.slice(0, -3)}AAA`);
    for (let i = 0; i < 5; i += 1) await forger.enter({ password: 'wrong' });
    expect((await forger.enter()).status).toBe(429);
  });

  test('offers the other ways of a workspace, by their names as text', async () => {
    const { text } = await peta.createVisitor().get('/sign-in?workspace=acme&next=/account');
    expect(text).toContain('href="/sign-in/sso/acme/okta?next=%2Faccount"');
    expect(text).toContain('Sign in with Okta &lt;SSO&gt;');
    expect((await peta.createVisitor().get('/sign-in?workspace=<script>')).text).not.toContain('<script>alert');
  });
});

describe('forms', () => {
  const FOREIGN: [string, Record<string, string>][] = [
    ['another site', { origin: 'https://evil.example' }],
    ['another port', { origin: 'http://localhost:4000' }],
    ['nowhere', { origin: 'null' }],
    ['no page', {}],
    ['what the browser calls same-site', { origin: ORIGIN, 'sec-fetch-site': 'same-site' }],
  ];
  test.each(FOREIGN)('from %s change nothing', async (_where, headers) => {
    expect((await peta.createVisitor().enter({}, headers)).status).toBe(403);
    const visitor = await peta.signedIn();
    const token = await visitor.token();
    const form = { token, password: 'another lantern 43', again: 'another lantern 43' };
    for (const url of ['/account/password', '/account/sign-ins/end-all', '/sign-out', '/sign-in/welcome'])
      expect((await visitor.post(url, form, headers)).status).toBe(403);
    for (const url of ['/account/passkeys/options', '/sign-in/passkey/options'])
      expect((await visitor.json(url, {}, headers)).status).toBe(403);
    expect(await visitor.isIn()).toBe(true);
    expect((await peta.createVisitor().enter()).status).toBe(303);
  });

  test('that were given to another sign-in change nothing', async () => {
    const [one, other] = [await peta.signedIn(), await peta.signedIn()];
    const form = { token: await one.token(), password: 'another lantern 43', again: 'another lantern 43' };
    expect((await other.post('/account/password', form)).status).toBe(403);
    expect((await other.post('/account/password', { ...form, token: '' })).status).toBe(403);
    expect((await one.post('/account/password', form)).to).toBe('/account?done=password');
  });

  test('cannot be framed, run only their own script, and are not stored', async () => {
    const visitor = await peta.signedIn();
    for (const url of ['/account', '/sign-in?again=1', '/sign-in/welcome']) {
      const { headers } = await visitor.get(url);
      expect(headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['cache-control']).toBe('no-store');
    }
  });
});
