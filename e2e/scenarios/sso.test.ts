import type { Client } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBrowser, ELSEWHERE } from '../harness/browser.ts';
import { type OidcIdp, startOidcIdp } from '../harness/oidc-idp.ts';
import { becomeOwner, cleanUp, peta as command, type RunningPeta, startPeta } from '../harness/peta.ts';
import { type SamlIdp, startSamlIdp } from '../harness/saml-idp.ts';

let peta: RunningPeta;
let api: Client;
let oidc: OidcIdp;
let saml: SamlIdp;

const MAPPING = {
  groups: [
    { group: 'admins', role: 2 as const },
    { group: 'watchers', role: 'auditor' },
    { group: 'staff', role: 3 as const },
  ],
};

beforeAll(async () => {
  peta = await startPeta({ env: { PETA_PRIVATE_HOSTS: '127.0.0.1' } });
  ({ api } = await becomeOwner(peta));
  oidc = await startOidcIdp();
  saml = await startSamlIdp();
  const company = await api.identityProviders.create({
    providerId: 'company',
    kind: 'oidc',
    settings: { issuer: oidc.issuer, clientId: oidc.clientId },
    secret: oidc.secret,
    mapping: MAPPING,
  });
  oidc.register(company.provider.addresses.callback);
  await api.identityProviders.create({
    providerId: 'directory',
    kind: 'saml',
    settings: { metadata: saml.metadata },
    mapping: MAPPING,
  });
});
afterAll(async () => {
  await Promise.all([oidc?.close(), saml?.close()]);
  await cleanUp();
});

const address = (providerId: string) => `${peta.url}/sign-in/sso/default/${providerId}`;
const isIn = (browser: ReturnType<typeof createBrowser>) => browser.cookies(peta.url).has('peta_session');
const ADA = { sub: 'ada-1', email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace', groups: ['staff'] };
const BEA = { nameId: 'bea@example.com', attributes: { email: 'bea@example.com', name: 'Bea', groups: ['staff'] } };
const signIn = async (providerId: string, browser = createBrowser()) => ({
  ...(await browser.open(`${address(providerId)}?next=/health`)),
  browser,
});
const records = async (filter: object = {}) => (await api.audit.list({ operation: 'sso.signIn', ...filter })).records;

test('the sign-in page offers both', async () => {
  const { text } = await createBrowser().open(`${peta.url}/sign-in?workspace=default&next=/health`);
  for (const providerId of ['company', 'directory']) expect(text).toContain(`/sign-in/sso/default/${providerId}?next=`);
});

describe('by OpenID Connect', () => {
  test('somebody new gets an account and a session, and goes on to where they wanted', async () => {
    oidc.signIn(ADA);
    const { url, browser } = await signIn('company');
    expect([url.origin, url.pathname, isIn(browser)]).toEqual([peta.url, '/health', true]);
    expect((await api.users.get({ userId: 'ada' })).user).toMatchObject({ name: 'Ada Lovelace', role: 3, status: 1 });
    expect(await records({ userId: 'ada' })).toMatchObject([{ outcome: 'done', userId: 'ada' }]);
  });

  test('the role follows the groups; whoever is in none is turned away', async () => {
    oidc.signIn({ ...ADA, groups: ['admins'] });
    await signIn('company');
    expect((await api.users.get({ userId: 'ada' })).user.role).toBe(2);
    oidc.signIn({ ...ADA, groups: ['others'] });
    const { status, text, browser } = await signIn('company');
    expect([status, isIn(browser)]).toEqual([403, false]);
    expect(text).toContain('You are in no group that may use this Peta');
    expect((await api.users.get({ userId: 'ada' })).user.role).toBe(3);
  });

  test('whoever is disabled is turned away', async () => {
    oidc.signIn(ADA);
    await api.users.disable({ userId: 'ada' });
    const { status, browser } = await signIn('company');
    expect([status, isIn(browser)]).toEqual([403, false]);
    await api.users.update({ userId: 'ada', status: 1 });
  });

  test('the answer for one browser signs nobody in in another', async () => {
    oidc.signIn(ADA);
    const { url } = await createBrowser().open(address('company'), (to) => to.pathname.endsWith('/callback'));
    const victim = createBrowser();
    const { status, text } = await victim.open(url);
    expect([status, isIn(victim)]).toEqual([403, false]);
    expect(text).toContain('not begun in this browser');
    expect((await records({ outcome: 'refused' }))[0]?.error).toMatch(/^not-begun/);
  });

  test('nobody is sent on to another site', async () => {
    oidc.signIn(ADA);
    const { url } = await createBrowser().open(`${address('company')}?next=//evil.example/`);
    expect(url.origin).toBe(peta.url);
  });
});

describe('by SAML', () => {
  test('somebody new gets an account and a session', async () => {
    saml.signIn(BEA);
    const { url, browser } = await signIn('directory');
    expect([url.pathname, isIn(browser)]).toEqual(['/health', true]);
    expect((await api.users.get({ userId: 'bea' })).user).toMatchObject({ name: 'Bea', role: 3 });
  });

  test.each([
    ['unsigned', () => ({ signAssertion: false })],
    ['signed by somebody else', () => saml.strangers],
    ['for another audience', () => ({ audience: 'https://another.example' })],
    ['expired', () => ({ lifetimeInSeconds: -120 })],
  ])('an assertion that is %s signs nobody in', async (_what, changes) => {
    saml.signIn(BEA, changes());
    const { status, browser } = await signIn('directory');
    expect([status, isIn(browser)]).toEqual([403, false]);
  });

  test('an assertion signs in once', async () => {
    saml.signIn(BEA);
    const browser = createBrowser();
    const { url } = await browser.open(address('directory'), (to) => to.pathname === '/sso');
    const xml = await saml.answer(await saml.readRequest(url.searchParams.get('SAMLRequest') ?? ''));
    const body = new URLSearchParams({ SAMLResponse: Buffer.from(xml).toString('base64') });
    const post = () =>
      browser.open(`${address('directory')}/acs`, undefined, { method: 'POST', body, origin: ELSEWHERE });
    await post();
    expect(isIn(browser)).toBe(true);
    expect((await post()).status).toBe(403);
  });
});

test('a provider that is switched off is not there, and one that is away says so', async () => {
  await api.identityProviders.update({ providerId: 'directory', enabled: false });
  expect((await signIn('directory')).status).toBe(404);
  await api.identityProviders.create({
    providerId: 'away',
    kind: 'oidc',
    settings: { issuer: 'http://127.0.0.1:9', clientId: 'peta' },
    mapping: MAPPING,
  });
  const { status, text } = await signIn('away');
  expect([status, text]).toEqual([502, expect.stringContaining('does not answer')]);
});

test('the peta command sets it up and says whether it works', async () => {
  const run = (...args: string[]) => command(peta.home, ['sso', ...args], { env: { OIDC_SECRET: oidc.secret } });
  const options = ['--issuer', oidc.issuer, '--client-id', oidc.clientId, '--secret-env', 'OIDC_SECRET'];
  const added = await run('add-oidc', 'by-hand', ...options, '--group', 'staff=user', 'admins=administrator');
  expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining(`${address('by-hand')}/callback`) });
  expect((await api.identityProviders.get({ providerId: 'by-hand' })).provider).toMatchObject({
    hasSecret: true,
    mapping: {
      groups: [
        { group: 'staff', role: 3 },
        { group: 'admins', role: 2 },
      ],
      defaultRole: null,
    },
  });
  expect(await run('test', 'by-hand')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`✓ ${oidc.issuer} answers.`),
  });
  expect(await run('set', 'by-hand', '--off', '--set', 'groupsClaim=roles')).toMatchObject({ code: 0 });
  expect(await run('test', 'by-hand')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('It is switched off'),
  });
  expect((await run('list')).stdout).toContain('by-hand');
  expect(await run('remove', 'by-hand')).toMatchObject({ code: 0, stdout: expect.stringContaining('was removed') });
  expect((await run('test', 'away')).stdout).toContain('does not answer as an OpenID provider');
});
