import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@peta/api';
import type { Browser, Page } from 'playwright-core';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addAuthenticator, byName, credentialsOf, openPage, startBrowser } from '../harness/chromium.ts';
import { cleanUp, peta as command, newHome, type RunningPeta, startPeta } from '../harness/peta.ts';
import { codeNow } from '../harness/totp.ts';

const PASSWORD = 'orbit lantern 42 pebble';
let peta: RunningPeta;
let browser: Browser;
let base: string;
/** Of the owner, for what a script would do. */
let api: ReturnType<typeof createClient>;

beforeAll(async () => {
  [peta, browser] = await Promise.all([startPeta(), startBrowser()]);
  base = byName(peta.url);
});
afterAll(async () => {
  await browser?.close();
  await cleanUp();
});

const enter = async (page: Page, name: string, password: string) => {
  await page.fill('#name', name);
  await page.fill('#password', password);
  await page.click('form[action="/sign-in"] button');
};
const invite = async (userId: string) => {
  const { stdout } = await command(peta.home, ['users', 'invite', userId, '--json']);
  return byName((JSON.parse(stdout) as { link: string }).link);
};
const heading = (page: Page) => page.textContent('h1');

describe('the owner', () => {
  test('sets a password with the set-up link, is signed in, and adds a passkey that is enough by itself', async () => {
    const { page, context, complaints } = await openPage(browser);
    await addAuthenticator(page);
    await page.goto(byName(peta.setupLink ?? ''));
    await page.fill('#name', 'Olivia Owner');
    await page.fill('#password', PASSWORD);
    await page.click('#go');
    await page.waitForSelector('#account:not([hidden])');
    const token = (await page.textContent('#token')) ?? '';
    expect(token).toMatch(/^peta_/);
    api = createClient(peta.url, { token });

    await page.click('#account a');
    await page.fill('#passkey-name', 'Virtual laptop');
    await page.click('text=Add a passkey');
    await page.waitForURL(`${base}/account?done=passkey`);
    expect(await page.textContent('[role=status]')).toBe('The passkey was added.');
    expect(await page.textContent('.list')).toContain('Virtual laptop');

    await page.click('form[action="/sign-out"] button');
    await page.waitForURL(`${base}/sign-in`);
    expect(await context.cookies().then((all) => all.map(({ name }) => name))).not.toContain('peta_session');
    await page.goto(`${base}/sign-in?next=/account`);
    await page.click('text=Use a passkey');
    await page.waitForURL(`${base}/account`);
    expect(await page.textContent('main')).toContain('passkey from 127.0.0.1');
    const [cookie] = (await context.cookies()).filter(({ name }) => name === 'peta_session');
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' });
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('recovers with another link: a new password, other browsers signed out, the passkey stays', async () => {
    const { page, context } = await openPage(browser);
    await page.goto(`${base}/sign-in`);
    await enter(page, 'owner', PASSWORD);
    await page.waitForURL(`${base}/account`);
    const rescue = await openPage(browser);
    await rescue.page.goto(byName((await api.setup.link({})).setupLink));
    await rescue.page.fill('#name', 'Olivia');
    await rescue.page.fill('#password', 'pebble lantern 42 orbit');
    await rescue.page.click('#go');
    await rescue.page.click('#account a');
    expect(await heading(rescue.page)).toBe('Your account');
    expect(await rescue.page.textContent('main')).toContain('Virtual laptop');
    await page.goto(`${base}/account`);
    expect(await heading(page)).toBe('Sign in');
    await Promise.all([context.close(), rescue.context.close()]);
  });
});

describe('a passkey', () => {
  test('made with an invitation is the only way in that its person needs', async () => {
    await api.users.create({ userId: 'pat', name: 'Pat' });
    const { page, context, complaints } = await openPage(browser);
    await addAuthenticator(page);
    await page.goto(`${base}/sign-in/welcome`);
    expect(await page.textContent('main')).toContain('needs a sign-up link');
    await page.goto(await invite('pat'));
    await page.waitForSelector('#password');
    expect(new URL(page.url()).hash).toBe('');
    await page.click('text=Create a passkey');
    await page.waitForURL(`${base}/account?done=passkey`);
    expect(await page.textContent('main')).toContain('You have none.');
    await page.click('form[action="/account/passkeys/remove"] button');
    expect(await page.textContent('#errors')).toContain('your only way in');
    await context.clearCookies();
    await page.goto(`${base}/sign-in`);
    await page.click('text=Use a passkey');
    await page.waitForURL(`${base}/account`);
    expect(await page.textContent('main')).toContain('Pat (pat)');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('is renamed and removed, and lets nobody in after that', async () => {
    await api.users.create({ userId: 'quinn', name: 'Quinn' });
    const { page, context } = await openPage(browser);
    await addAuthenticator(page);
    await page.goto(await invite('quinn'));
    await page.fill('#password', PASSWORD);
    await page.fill('#again', PASSWORD);
    await page.click('text=Set the password and sign in');
    await page.click('text=Add a passkey');
    await page.waitForURL(`${base}/account?done=passkey`);
    await page.click('summary');
    await page.fill('[id^="rename-"]', 'Old <phone>');
    await page.click('form[action="/account/passkeys/rename"] button');
    await page.waitForURL(`${base}/account?done=passkey-renamed`);
    expect(await page.textContent('.list strong')).toBe('Old <phone>');
    await page.click('form[action="/account/passkeys/remove"] button');
    await page.waitForURL(`${base}/account?done=passkey-removed`);
    await context.clearCookies();
    await page.goto(`${base}/sign-in`);
    await page.click('text=Use a passkey');
    await page.waitForSelector('[data-passkey-error]:not([hidden])');
    expect(await page.textContent('[data-passkey-error]')).toContain('not known here any more');
    await context.close();
  });

  test('needs its device to have verified the person', async () => {
    const { page, context } = await openPage(browser);
    const device = await addAuthenticator(page, false);
    await page.goto(`${base}/sign-in`);
    await enter(page, 'quinn', PASSWORD);
    await page.waitForURL(`${base}/account`);
    await page.click('text=Add a passkey');
    await page.waitForSelector('[data-passkey-error]:not([hidden])');
    expect(await credentialsOf(device)).toEqual([]);
    expect(page.url()).toBe(`${base}/account`);
    await context.close();
  });

  test('that was copied, and is used behind the original’s back, is refused', async () => {
    const { page, context } = await openPage(browser);
    const device = await addAuthenticator(page);
    await page.goto(`${base}/sign-in`);
    await enter(page, 'quinn', PASSWORD);
    await page.waitForURL(`${base}/account`);
    await page.click('text=Add a passkey');
    await page.waitForURL(`${base}/account?done=passkey`);
    const [copied] = await credentialsOf(device);
    if (!copied) throw new Error('The device has no passkey.');
    const use = async (expected: string) => {
      await context.clearCookies();
      await page.goto(`${base}/sign-in`);
      await page.click('text=Use a passkey');
      await page.waitForSelector(expected);
    };
    await use('h1:has-text("Your account")');
    await use('h1:has-text("Your account")');
    await device.cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: device.id });
    const thief = await addAuthenticator(page);
    await thief.cdp.send('WebAuthn.addCredential', { authenticatorId: thief.id, credential: copied });
    await use('[data-passkey-error]:not([hidden])');
    await context.close();
  });

  test('is said to need a name where the page was opened by an address', async () => {
    const { page, context } = await openPage(browser);
    await page.goto(`${peta.url}/sign-in`);
    expect(await page.textContent('[data-passkey-none]')).toContain(`open ${base} to use them`);
    expect(await page.isVisible('text=Use a passkey')).toBe(false);
    await context.close();
  });
});

describe('without JavaScript', () => {
  test('a person signs in, sets up an app, signs in with its code, and with a recovery code', async () => {
    await api.users.create({ userId: 'robin', name: 'Robin' });
    const first = await openPage(browser);
    await first.page.goto(await invite('robin'));
    await first.page.fill('#password', PASSWORD);
    await first.page.fill('#again', PASSWORD);
    await first.page.click('text=Set the password and sign in');
    await first.page.waitForURL(`${base}/account?done=welcome`);
    await first.context.close();

    const { page, context } = await openPage(browser, { javaScriptEnabled: false });
    await page.goto(`${base}/account`);
    await enter(page, 'robin', PASSWORD);
    await page.click('text=Set up an app');
    const secret = ((await page.textContent('pre')) ?? '').replaceAll(' ', '');
    await page.fill('#code', codeNow(secret));
    await page.click('text=Use this app');
    expect(await heading(page)).toBe('Your recovery codes');
    const [recovery = ''] = ((await page.textContent('pre')) ?? '').split('\n');
    await page.click('text=I have kept them');
    await page.click('form[action="/sign-out"] button');

    await enter(page, 'robin', PASSWORD);
    expect(await heading(page)).toBe('Enter a code');
    await page.fill('#code', codeNow(secret, 1));
    await page.click('text=Continue');
    expect(await heading(page)).toBe('Your account');
    expect(await page.textContent('main')).toContain('password and authenticator app');
    await page.click('text=Sign out everywhere');

    await page.goto(`${base}/sign-in`);
    await enter(page, 'robin', PASSWORD);
    await page.fill('#code', recovery);
    await page.click('text=Continue');
    expect(await page.textContent('main')).toContain('9 recovery codes are left.');
    await context.close();
  });

  test('the mistakes are told, in focus, beside what was typed', async () => {
    const { page, context } = await openPage(browser, { javaScriptEnabled: false });
    await page.goto(`${base}/sign-in`);
    await enter(page, 'robin', 'not the password');
    expect(await page.title()).toMatch(/^Error: /);
    expect(
      await page
        .locator('#errors')
        .evaluate((one) => one === one.ownerDocument.activeElement)
        .catch(() => 'no scripts'),
    ).toBeTruthy();
    expect(await page.inputValue('#name')).toBe('robin');
    expect(await page.inputValue('#password')).toBe('');
    await context.close();
  });
});

test('signing in goes on to where a client sent its person, past what forms may do', async () => {
  const { page, context } = await openPage(browser);
  await page.goto(`${base}/sign-in?next=/oauth/interaction/of-a-client`);
  await enter(page, 'quinn', PASSWORD);
  await page.waitForURL(`${base}/oauth/interaction/of-a-client`);
  await context.close();
});

test('over TLS the cookie is bound to TLS and to this very host', async () => {
  const home = newHome();
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }]);
  const [SSL_CERT_PATH, SSL_KEY_PATH] = [join(home, 'cert.pem'), join(home, 'key.pem')];
  writeFileSync(SSL_CERT_PATH, cert);
  writeFileSync(SSL_KEY_PATH, key);
  const secure = await startPeta({ home, env: { ENABLE_HTTPS: 'true', SSL_CERT_PATH, SSL_KEY_PATH } });
  const { page, context } = await openPage(browser, { ignoreHTTPSErrors: true });
  await page.goto(byName(secure.setupLink ?? ''));
  await page.fill('#name', 'Olivia');
  await page.fill('#password', PASSWORD);
  await page.click('#go');
  await page.click('#account a');
  expect(await heading(page)).toBe('Your account');
  const cookies = await context.cookies();
  expect(cookies.find(({ name }) => name === '__Host-peta_session')).toMatchObject({ secure: true, httpOnly: true });
  expect(cookies.every(({ name, secure: isSecure }) => name.startsWith('__Host-') && isSecure)).toBe(true);
  await context.close();
});

test('the whole page of an account can be used with the keyboard, and fits a narrow window', async () => {
  const { page, context } = await openPage(browser, { viewport: { width: 320, height: 700 } });
  await page.goto(`${base}/sign-in`);
  // Autofocus is given when the page is first drawn, which can be after it has loaded.
  await page.locator('#name:focus').waitFor();
  await page.keyboard.type('quinn');
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${base}/account`);
  for (const path of ['/account', '/sign-in?again=1', '/sign-in/welcome']) {
    await page.goto(base + path);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), path).toBe(true);
    const unlabelled = await page.evaluate(
      `[...document.querySelectorAll('input:not([type=hidden]):not([aria-hidden])')].filter((one) => !one.labels.length).map((one) => one.name)`,
    );
    expect(unlabelled, path).toEqual([]);
  }
  await context.close();
});
