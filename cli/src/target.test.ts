import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { findTarget } from './target.ts';

const home = mkdtempSync(join(tmpdir(), 'peta-target-'));
const machine = { url: 'http://127.0.0.1:3002', mcpUrl: 'http://127.0.0.1:3002/mcp', token: 'petamachine_x', pid: 1 };

beforeAll(() => writeFileSync(join(home, 'admin.json'), JSON.stringify(machine)));
afterAll(() => rmSync(home, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const find = (options: { url?: string; token?: string }, env: Record<string, string> = {}) => {
  for (const [name, value] of Object.entries({ PETA_HOME: home, PETA_URL: '', PETA_TOKEN: '', ...env }))
    vi.stubEnv(name, value);
  return findTarget(options);
};

test.each([
  ['http://a:1', 'http://a:1', 'http://a:1/mcp'],
  ['http://a:1/', 'http://a:1', 'http://a:1/mcp'],
  ['http://a:1/mcp', 'http://a:1', 'http://a:1/mcp'],
  ['https://a/peta/mcp/', 'https://a/peta', 'https://a/peta/mcp'],
  ['https://a/mcp/e/small', 'https://a', 'https://a/mcp/e/small'],
])('%s names the Peta at %s', async (given, url, mcpUrl) => {
  expect(await find({ url: given, token: 't' })).toEqual({ url, mcpUrl, token: 't' });
});

test.each(['nonsense', 'ftp://a', '/mcp'])('"%s" is refused as an address', async (url) => {
  await expect(find({ url })).rejects.toThrow('is no address of a Peta');
});

test('without an address it is the Peta that runs on the folder, with the key it wrote there', async () => {
  expect(await find({})).toEqual({ url: machine.url, mcpUrl: machine.mcpUrl, token: machine.token });
});

test('the key of the folder is sent to the Peta that wrote it, and to no other', async () => {
  expect((await find({ url: machine.url })).token).toBe(machine.token);
  expect((await find({ url: 'http://127.0.0.1:3003' })).token).toBeUndefined();
  expect((await find({}, { PETA_URL: 'https://elsewhere.example' })).token).toBeUndefined();
});

test('where no Peta runs, what to do is said', async () => {
  await expect(find({}, { PETA_HOME: join(home, 'nothing') })).rejects.toThrow('Start it with "npm start"');
});
