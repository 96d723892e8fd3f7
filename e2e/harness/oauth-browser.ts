import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client as Api } from '@peta/api';
import type { Browser } from 'playwright-core';
import { openPage, startBrowser } from './chromium.ts';
import { registerFixture } from './fixtures.ts';
import { becomeOwner, cleanUp, startPeta } from './peta.ts';

const PASSWORD = 'orbit lantern 42 pebble';

/** A person of this Peta in a browser of their own, where they have just signed in. */
export const startPerson = async (browser: Browser, api: Api, userId: string) => {
  const { link } = await api.users.invite({ userId });
  const { page, context, complaints } = await openPage(browser);
  await page.goto(link);
  await page.fill('#password', PASSWORD);
  await page.fill('#again', PASSWORD);
  await page.click('text=Set the password and sign in');
  await page.waitForURL(/\/account/);

  return {
    page,
    complaints,
    close: () => context.close(),

    /**
     * Opens an authorization request and does what its pages ask for: signs in, allows or denies. Returns how often
     * consent was asked for, once the client has its answer.
     */
    async answer(address: string, decision: 'Allow' | 'Deny' = 'Allow'): Promise<number> {
      const base = new URL(address).origin;
      let asked = 0;
      await page.goto(address);
      for (;;) {
        await page.waitForLoadState();
        if (!page.url().startsWith(`${base}/`)) return asked;
        if (await page.locator('form[action="/sign-in"] #password').count()) {
          await page.fill('#name', userId);
          await page.fill('#password', PASSWORD);
          await page.click('form[action="/sign-in"] button');
        } else if (await page.locator('button[name="decision"]').count()) {
          asked += 1;
          await page.click(`button[name="decision"]:has-text("${decision}")`);
        }
        await page.waitForTimeout(100);
      }
    },
  };
};

/** Where a client on this machine waits for the answer to its authorization request. */
const startCallback = async () => {
  let tell: (url: URL) => void = () => {};
  let next = new Promise<URL>((done) => {
    tell = done;
  });
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/callback')) tell(new URL(request.url, uri));
    response.setHeader('content-type', 'text/html').end('<h1>Back in the client</h1>');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  return {
    uri,
    /** The answer that came, or comes next. */
    async answer(): Promise<URL> {
      const url = await next;
      next = new Promise((done) => {
        tell = done;
      });
      return url;
    },
    close: (): void => {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** A Peta with a server that Ann may use, Ann in her browser, and a client that waits for its answer. */
export const startWithPerson = async () => {
  const [peta, browser, callback] = await Promise.all([startPeta(), startBrowser(), startCallback()]);
  const { api } = await becomeOwner(peta);
  await registerFixture(api, 'fast');
  await api.users.create({ userId: 'ann', name: 'Ann', permissions: { fast: { enabled: true } } });
  const ann = await startPerson(browser, api, 'ann');
  return {
    ...{ peta, api, browser, callback, ann },
    async close(): Promise<void> {
      callback.close();
      await browser.close();
      await cleanUp();
    },
  };
};

export type WithPerson = Awaited<ReturnType<typeof startWithPerson>>;
