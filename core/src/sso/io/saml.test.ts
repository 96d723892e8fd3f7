import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createBrowser, ELSEWHERE } from '../../../../e2e/harness/browser.ts';
import { type AnswerOptions, type Asked, type SamlIdp, startSamlIdp } from '../../../../e2e/harness/saml-idp.ts';
import { createTestSso, type TestSso } from '../../build/test-sso.ts';

let sso: TestSso;
let idp: SamlIdp;

beforeAll(async () => {
  sso = await createTestSso();
  idp = await startSamlIdp();
});
afterAll(async () => {
  await idp.close();
  await sso.close();
});
beforeEach(async () => {
  await sso.clear();
  await sso.addSaml(idp);
  idp.signIn(ADA);
});

const ADA = {
  nameId: 'ada@example.com',
  attributes: { email: 'ada@example.com', name: 'Ada Lovelace', groups: ['eng'] },
};
const EVE = { nameId: 'eve@example.com', attributes: { email: 'eve@example.com', name: 'Eve' } };
const acs = () => `${sso.addressOf('company')}/acs`;

/** Begins in a browser, and stops where the provider would be asked. */
const begin = async (
  browser = createBrowser(),
): Promise<{ browser: ReturnType<typeof createBrowser>; asked: Asked }> => {
  const { url } = await browser.open(sso.addressOf('company'), (to) => to.pathname === '/sso');
  return { browser, asked: await idp.readRequest(url.searchParams.get('SAMLRequest') ?? '') };
};

/** Posts an answer as the page of the provider would, and goes on from there. */
const post = (browser: ReturnType<typeof createBrowser>, xml: string) =>
  browser.open(acs(), undefined, {
    method: 'POST',
    body: new URLSearchParams({ SAMLResponse: Buffer.from(xml).toString('base64') }),
    origin: ELSEWHERE,
  });

const refusals = () => sso.seen.audit.filter(({ outcome }) => outcome === 'refused').map(({ error }) => error);

describe('signing in by SAML', () => {
  test('somebody new gets an account, and goes on to where they wanted', async () => {
    const { text, who } = await sso.signIn(createBrowser(), '/elsewhere');
    expect(text).toBe('Somewhere else');
    expect(who).toEqual({ workspaceId: 'default', userId: 'ada', methods: ['saml'], providerId: 'company' });
    expect(await sso.person('ada')).toMatchObject({ name: 'Ada Lovelace', email: 'ada@example.com', role: 3 });
    expect(sso.seen.audit.map(({ operation, outcome }) => [operation, outcome])).toEqual([
      ['sso.created', 'done'],
      ['sso.signIn', 'done'],
    ]);
    expect((await sso.signIn()).who?.userId).toBe('ada');
  });

  test('a name identifier that is an address stands for the attribute', async () => {
    idp.signIn({ nameId: 'Bea@example.com' });
    await sso.signIn();
    expect(await sso.person('bea')).toMatchObject({ email: 'bea@example.com' });
  });

  test('a response that is signed too is taken', async () => {
    idp.signIn(ADA, { signResponse: true });
    expect((await sso.signIn()).who?.userId).toBe('ada');
  });

  test('our metadata says what a provider must know', async () => {
    const response = await fetch(`${sso.addressOf('company')}/metadata`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toContain('xml');
    expect(text).toContain(`entityID="${sso.addressOf('company')}/metadata"`);
    expect(text).toContain(`Location="${acs()}"`);
    expect(text).toContain('WantAssertionsSigned="true"');
    expect((await begin()).asked).toMatchObject({ issuer: `${sso.addressOf('company')}/metadata`, acs: acs() });
  });

  test('a certificate more, as when the provider changes keys, is believed too', async () => {
    idp.signIn(ADA, { key: idp.strangers.key, cert: idp.strangers.cert });
    expect((await sso.signIn()).who).toBeUndefined();
    await sso.query('delete from identity_provider');
    await sso.addSaml(idp, {}, { certificates: [idp.cert, idp.strangers.cert] });
    expect((await sso.signIn()).who?.userId).toBe('ada');
  });
});

describe('what is not the answer to our own question', () => {
  const refused = async (browser: ReturnType<typeof createBrowser>, xml: string, reason: RegExp) => {
    const { status } = await post(browser, xml);
    expect([status, sso.who(browser)]).toEqual([403, undefined]);
    expect(refusals()).toEqual([expect.stringMatching(reason)]);
    expect(await sso.query('select id from "user"')).toEqual([]);
  };

  test('the untouched answer is taken, so that the refusals below are for what was done to it', async () => {
    const { browser, asked } = await begin();
    expect((await post(browser, await idp.answer(asked))).text).toBe('The account page');
  });

  test('an answer posted in another browser signs nobody in', async () => {
    const { asked } = await begin();
    await refused(createBrowser(), await idp.answer(asked), /^not-begun/);
  });

  test('an answer to the question of another browser signs nobody in, who began one or not', async () => {
    const { asked } = await begin();
    const victim = await begin();
    await refused(victim.browser, await idp.answer(asked), /^not-begun/);
  });

  test('an answer is good once', async () => {
    const { browser, asked } = await begin();
    const xml = await idp.answer(asked);
    expect((await post(browser, xml)).status).toBe(200);
    const again = await post(browser, xml);
    expect([again.status, refusals()]).toEqual([403, [expect.stringContaining('the assertion was used already')]]);
  });

  test('an answer is good for ten minutes, and no longer than it says', async () => {
    const { browser, asked } = await begin();
    const xml = await idp.answer(asked, ADA, { lifetimeInSeconds: 120 });
    sso.world.lateMs = 4 * 60_000;
    await refused(browser, xml, /not confirmed for this address and time/);
    sso.seen.audit.length = 0;
    sso.world.lateMs = 11 * 60_000;
    await refused(browser, await idp.answer(asked), /^not-begun/);
  });

  test('a provider that is switched off or changed meanwhile signs nobody in', async () => {
    const { browser, asked } = await begin();
    const xml = await idp.answer(asked);
    const { url } = await browser.open(acs(), (to) => to.pathname.endsWith('/answer'), {
      method: 'POST',
      body: new URLSearchParams({ SAMLResponse: Buffer.from(xml).toString('base64') }),
      origin: ELSEWHERE,
    });
    await sso.store.update('default', 'company', { enabled: false });
    expect((await browser.open(url)).text).toContain('switched off or changed');
    expect((await post(browser, xml)).status).toBe(403);
  });

  test.each<[string, AnswerOptions, RegExp]>([
    ['for another audience', { audience: 'https://another.example' }, /audience mismatch/],
    ['for another address', { recipient: 'https://another.example/acs' }, /not confirmed for this address/],
    ['of another issuer', { issuer: 'https://another.example' }, /its issuer is https:\/\/another\.example/],
    ['that has expired', { lifetimeInSeconds: -120 }, /expired|not confirmed/],
    ['to another question', { inResponseTo: '_another' }, /^not-begun/],
    ['that is not signed', { signAssertion: false }, /Invalid signature/],
    ['whose response alone is signed', { signAssertion: false, signResponse: true }, /Invalid signature/],
    ['signed with SHA-1', { signatureAlgorithm: 'rsa-sha1' }, /rsa-sha1 is not accepted/],
    ['digested with SHA-1', { digestAlgorithm: 'sha1' }, /sha1 is not accepted/],
  ])('an assertion %s is refused', async (_what, changes, reason) => {
    const { browser, asked } = await begin();
    await refused(browser, await idp.answer(asked, ADA, changes), reason);
  });

  test('an assertion that somebody else signed is refused, with their certificate in it or not', async () => {
    const { browser, asked } = await begin();
    await refused(browser, await idp.answer(asked, ADA, idp.strangers), /Invalid signature/);
  });

  test('an assertion in which something was changed is refused', async () => {
    const { browser, asked } = await begin();
    const xml = await idp.answer(asked, EVE);
    await refused(browser, xml.replaceAll('eve@example.com', 'ada@example.com'), /Invalid signature/);
  });

  const assertionOf = (xml: string): string => /<saml:Assertion.*<\/saml:Assertion>/s.exec(xml)?.[0] ?? '';
  const signatureOf = (xml: string): string => /<Signature.*?<\/Signature>/s.exec(xml)?.[0] ?? '';
  /** Eve's assertion turned into one that speaks of Ada, without a signature and with an id of its own. */
  const forged = (assertion: string): string =>
    assertion
      .replace(signatureOf(assertion), '')
      .replaceAll('eve@example.com', 'ada@example.com')
      .replace(/ ID="[^"]*"/, ' ID="_forged"');

  test.each<[string, (xml: string, real: string, forgery: string) => string]>([
    ['before the signed one', (xml, real, forgery) => xml.replace(real, forgery + real)],
    ['after the signed one', (xml, real, forgery) => xml.replace(real, real + forgery)],
    [
      'with the signed one inside its signature',
      (xml, real, forgery) => {
        const signature = signatureOf(real);
        const bare = real.replace(signature, '');
        const wrapped = signature.replace('</Signature>', `<Object>${bare}</Object></Signature>`);
        return xml.replace(real, forgery.replace('</saml:Issuer>', `</saml:Issuer>${wrapped}`));
      },
    ],
    [
      'around the signed one',
      (xml, real, forgery) => xml.replace(real, forgery.replace('</saml:Assertion>', `${real}</saml:Assertion>`)),
    ],
    [
      'with the signed one in extensions',
      (xml, real, forgery) =>
        xml.replace(real, forgery).replace(/(<samlp:Status>)/, `<samlp:Extensions>${real}</samlp:Extensions>$1`),
    ],
    [
      'under the id of the signed one',
      (xml, real, forgery) => {
        const id = /ID="([^"]*)"/.exec(real)?.[1] ?? '';
        const signed = forgery.replace('_forged', id).replace('</saml:Issuer>', `</saml:Issuer>${signatureOf(real)}`);
        return xml.replace(real, signed + real);
      },
    ],
  ])('a forged assertion %s is refused', async (_what, wrap) => {
    const { browser, asked } = await begin();
    const xml = await idp.answer(asked, EVE);
    const real = assertionOf(xml);
    const wrapped = wrap(xml, real, forged(real));
    expect(wrapped).toContain('ada@example.com');
    const { text } = await post(browser, wrapped);
    expect(sso.who(browser)?.userId).not.toBe('ada');
    expect(text).toContain('You are not signed in');
    expect(await sso.query('select id from "user"')).toEqual([]);
  });

  test('a comment does not cut a name short', async () => {
    const { browser, asked } = await begin();
    const xml = await idp.answer(asked, { ...EVE, nameId: 'ada@example.com.evil.example' });
    const cut = xml.replace('ada@example.com.evil.example', 'ada@example.com<!---->.evil.example');
    expect(cut).not.toBe(xml);
    await refused(browser, cut, /document type, an entity, a comment/);
  });

  test.each<[string, (xml: string) => string]>([
    [
      'a document type',
      (xml) => `<!DOCTYPE x [<!ENTITY who "ada@example.com">]>${xml.replaceAll('eve@example.com', '&who;')}`,
    ],
    ['an entity of a file', (xml) => `<!DOCTYPE x [<!ENTITY who SYSTEM "file:///etc/passwd">]>${xml}`],
    ['a processing instruction', (xml) => xml.replace('eve@example.com', 'ada@example.com<?x ?>')],
    ['character data', (xml) => xml.replace('eve@example.com', '<![CDATA[ada@example.com]]>')],
    [
      'a comment that the signature is said to cover',
      (xml) => xml.replaceAll('xml-exc-c14n#', 'xml-exc-c14n#WithComments'),
    ],
  ])('%s is refused before anything is read', async (_what, change) => {
    const { browser, asked } = await begin();
    await refused(browser, change(await idp.answer(asked, EVE)), /it holds|not accepted/);
  });

  test.each(['', 'no base64!', Buffer.from('<a>').toString('base64'), Buffer.from('<a/>').toString('base64')])(
    'nonsense %j is refused, and no fault',
    async (value) => {
      const response = await fetch(acs(), { method: 'POST', body: new URLSearchParams({ SAMLResponse: value }) });
      expect([response.status, sso.seen.faults]).toEqual([403, []]);
      expect(
        (await fetch(acs(), { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })).status,
      ).toBe(415);
    },
  );

  test('what a refusal says that nobody signed is for the log, not for the page', async () => {
    const { browser, asked } = await begin();
    const xml = await idp.answer(asked, ADA, { signAssertion: false });
    const said = '<samlp:StatusMessage>Call 0900</samlp:StatusMessage>';
    const refusal = xml
      .replace(/<saml:Assertion.*<\/saml:Assertion>/s, '')
      .replace(/status:Success("\s*\/>)/, `status:Responder$1${said}`);
    expect(refusal).toContain(said);
    const { status, text } = await post(browser, refusal);
    expect([status, text]).toEqual([403, expect.stringContaining('did not sign you in.')]);
    expect(text).not.toContain('0900');
    expect(refusals()).toEqual([expect.stringMatching(/^provider-refused: .*Call 0900/)]);
  });

  test('a name that is another one each time is refused', async () => {
    const { browser, asked } = await begin();
    const format = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
    await refused(browser, await idp.answer(asked, { ...ADA, format }), /^no-subject/);
  });
});

describe('an answer that nobody asked for', () => {
  const unasked = async () => {
    const { asked } = await begin();
    return idp.answer({ ...asked, id: '' }, ADA, { inResponseTo: undefined });
  };

  test('is refused', async () => {
    const browser = createBrowser();
    expect((await post(browser, await unasked())).status).toBe(403);
    expect(refusals()).toEqual([expect.stringContaining('nobody here asked for it')]);
  });

  test('is a reason to ask where the provider may begin, and signs nobody in by itself', async () => {
    await sso.query('delete from identity_provider');
    await sso.addSaml(idp, {}, { idpInitiated: true });
    const browser = createBrowser();
    const xml = await unasked();
    idp.signIn(EVE);
    await post(browser, xml);
    expect(sso.who(browser)?.userId).toBe('eve');
  });
});
