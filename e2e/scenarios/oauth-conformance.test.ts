import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client as Api } from '@peta/api';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runSuite } from '../conformance/suite.ts';
import { startBrowser } from '../harness/chromium.ts';
import { startPerson } from '../harness/oauth-browser.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';

let peta: RunningPeta;
let api: Api;
let browser: Browser;
let ann: Awaited<ReturnType<typeof startPerson>>;
const folder = mkdtempSync(join(tmpdir(), 'peta-conformance-'));

beforeAll(async () => {
  [peta, browser] = await Promise.all([startPeta(), startBrowser()]);
  ({ api } = await becomeOwner(peta));
  await api.users.create({ userId: 'ann', name: 'Ann' });
  ann = await startPerson(browser, api, 'ann');
});
afterAll(async () => {
  await browser?.close();
  await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** The address that the suite prints for a person to open. */
const askedFor = (log: string): Promise<string> =>
  until('the suite asking for a person', async () => {
    const text = await Promise.resolve()
      .then(() => readFileSync(log, 'utf8'))
      .catch(() => '');
    return /^(http\S+\/oauth\/authorize\?\S+)$/m.exec(text)?.[1];
  });

test.each(['2025-11-25', '2026-07-28'])(
  "the conformance suite's scenarios of authorization servers pass, in %s",
  async (revision) => {
    const port = await freePort();
    const { client } = await api.clients.create({
      name: 'Conformance',
      // Where public clients are supported, the suite is one.
      authMethod: 'none',
      redirectUris: [`http://127.0.0.1:${port}/callback`],
    });
    const into = join(folder, revision);
    const [results] = await Promise.all([
      runSuite(
        [
          ...['authorization', '--url', peta.url, '--client-id', client.clientId],
          ...['--port', String(port), '--resource', peta.mcpUrl, '--spec-version', revision],
        ],
        into,
      ),
      askedFor(join(into, 'suite.log')).then((address) => ann.answer(address)),
    ]);
    const checks = [...results.values()].flat().map(({ id, status, errorMessage }) => [id, status, errorMessage]);
    expect(checks.filter(([, status]) => status !== 'SUCCESS')).toEqual([]);
    expect(checks.map(([id]) => id)).toEqual(
      expect.arrayContaining(['authorization-server-metadata', 'authorization-server-metadata-cimd']),
    );
    expect(results.size).toBe(2);
  },
);
