import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eras, textOf } from '../harness/clients.ts';
import { fixture, listed } from '../harness/fixtures.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, post, VERSION_META } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
let token: string;

beforeAll(async () => {
  peta = await startPeta({ env: { PETA_PAGE_SIZE: '2' } });
  ({ api, token } = await becomeOwner(peta));
  for (const serverId of ['fast', 'b-fast'])
    await api.servers.create({ serverId, launchConfig: fixture('fast', '--stdio') });
  await Promise.all(['fast', 'b-fast'].map((serverId) => listed(api, serverId)));
});
afterAll(cleanUp);

type Page = { result: { tools: { name: string }[]; nextCursor?: string } };
const page = async (cursor?: string): Promise<Page['result']> => {
  const params = { ...(cursor !== undefined && { cursor }), _meta: VERSION_META };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
  const { json } = await post(peta.mcpUrl, { jsonrpc: '2.0', id: 1, method: 'tools/list', params }, { token, headers });
  return (json as Page).result;
};

test('a list comes in pages, in an order that stays, each entry once', async () => {
  const walk = async () => {
    const names: string[] = [];
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const { tools, nextCursor } = await page(cursor);
      expect(tools.length).toBeLessThanOrEqual(2);
      names.push(...tools.map(({ name }) => name));
      cursor = nextCursor;
    }
    return names;
  };
  const names = await walk();
  expect(names.length).toBeGreaterThan(4);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(await walk());
  expect(names.findIndex((name) => name.startsWith('fast__'))).toBeGreaterThan(
    names.findLastIndex((name) => name.startsWith('b-fast__')),
  );
});

describe.each(eras)('an open client of %s', (_era, connect) => {
  test('is told when what a server offers changes, and sees it', async () => {
    const serverId = `changing-${_era}`;
    await api.servers.create({ serverId, launchConfig: fixture('changing') });
    await listed(api, serverId);
    const client = await connect(peta.mcpUrl, token);
    const told: string[] = [];
    await client.onListChanged((kind) => told.push(kind));
    await new Promise((done) => setTimeout(done, 200));
    expect(textOf(await client.callTool({ name: `${serverId}::grow` }))).toBe('grew');
    await until('the client is told', async () => told.includes('tools'), 1_500);
    const all = await page();
    expect(all.tools.length).toBe(2);
    expect(textOf(await client.callTool({ name: `${serverId}::grown-1` }))).toBe('grew');
    await client.close();
    await api.servers.remove({ serverId });
  });
});

test('a server that has died is still listed as it was, and its next call starts it again', async () => {
  await callTool(peta.mcpUrl, token, 'fast__die', {});
  const { tools } = await page((await page((await page()).nextCursor)).nextCursor);
  expect(tools.length).toBeGreaterThan(0);
  expect(JSON.stringify((await callTool(peta.mcpUrl, token, 'fast__echo', { text: 'again' })).json)).toContain('again');
});

test('with DATABASE_URL that server is used, and none of its own is started', async () => {
  const [, , , port] = readFileSync(join(peta.home, 'postgres/postmaster.pid'), 'utf8').split('\n');
  const password = readFileSync(join(peta.home, 'postgres.password'), 'utf8').trim();
  // A database of another Peta: the second one must find its tables there, its own folder must hold no PostgreSQL.
  const second = await startPeta({ env: { DATABASE_URL: `postgresql://peta:${password}@127.0.0.1:${port}/postgres` } });
  expect(() => readFileSync(join(second.home, 'postgres/PG_VERSION'))).toThrow();
  expect(second.setupLink).toBeNull();
  const both = [peta, second].map(({ mcpUrl }) => callTool(mcpUrl, token, 'notes__nothing', {}));
  expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
});
