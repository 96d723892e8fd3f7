import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@peta/api';
import { afterAll, expect, test, vi } from 'vitest';
import { cleanUp, newHome, startPeta } from '../../../e2e/harness/peta.ts';
import { curlCall } from './guide.ts';

// Each step is a process of its own.
vi.setConfig({ testTimeout: 90_000 });

afterAll(cleanUp);

/** Does what the shell and curl would do with the printed command. */
const runCurl = async (command: string): Promise<Response> => {
  const [, url = ''] = /^curl -s (\S+)/.exec(command) ?? [];
  const headers = [...command.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name = '', value = '']) => [name, value]);
  const [, body = ''] = /-d '(.*)'$/.exec(command) ?? [];
  return fetch(url, { method: 'POST', headers: Object.fromEntries(headers), body });
};

const administer = (home: string) => {
  const { url, token } = JSON.parse(readFileSync(join(home, 'admin.json'), 'utf8')) as { url: string; token: string };
  return createClient(url, { token });
};

test('the demo serves three servers and a working token, and may be started again on the same folder', async () => {
  const home = newHome();
  const first = await startPeta({ home, args: ['--demo'] });
  const answer = await runCurl(curlCall(first.mcpUrl, first.token ?? ''));
  expect(await answer.json()).toMatchObject({ result: { content: [{ type: 'text', text: 'Echo: hello' }] } });
  const own = await administer(home).tokens.issue({ userId: 'demo', name: 'mine' });
  await first.end('SIGTERM');

  const second = await startPeta({ home, args: ['--demo'] });
  const api = administer(home);
  const { servers } = await api.servers.list({});
  expect(servers.map(({ serverId, status }) => [serverId, status])).toEqual([
    ['everything', 0],
    ['filesystem', 0],
    ['notes', 0],
  ]);
  expect((await runCurl(curlCall(second.mcpUrl, first.token ?? ''))).status).toBe(401);
  expect((await runCurl(curlCall(second.mcpUrl, second.token ?? ''))).status).toBe(200);
  expect((await runCurl(curlCall(second.mcpUrl, own.secret))).status).toBe(200);
  const { capabilities } = await api.capabilities.available({});
  expect(Object.keys(capabilities.notes?.tools ?? {}).sort()).toEqual(['add_note', 'list_notes']);
});
