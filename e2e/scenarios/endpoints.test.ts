import { join } from 'node:path';
import type { Client } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eras, type McpClient, textOf } from '../harness/clients.ts';
import { becomeOwner, cleanUp, ROOT, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, initialize, post } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
let token: string;
const LIMIT_MS = 1_000;

const fixture = (name: string, ...args: string[]) => ({
  type: 'stdio' as const,
  command: process.execPath,
  args: [join(ROOT, `e2e/servers/${name}.ts`), ...args],
});
const register = async (serverId: string, name = 'fast') => {
  await api.servers.create({ serverId, launchConfig: fixture(name, '--stdio'), anonymousRateLimit: 1000 });
  await until(`${serverId} is listed`, async () => {
    const { capabilities } = await api.capabilities.ofServer({ serverId });
    return Object.keys(capabilities.tools).length > 0;
  });
};
const at = (path: string) => `${peta.url}${path}`;
const names = async (client: McpClient) => (await client.listTools()).tools.map(({ name }) => name);
const refused = (promise: Promise<unknown>) =>
  promise.then(
    () => 'was not refused',
    (error: Error) => error.message,
  );

beforeAll(async () => {
  peta = await startPeta();
  ({ api, token } = await becomeOwner(peta));
  await Promise.all([register('fast'), register('other'), register('changing', 'changing')]);
});
afterAll(cleanUp);

describe.each(eras)('at an anonymous endpoint without prefixes, a client of %s without a token', (era, connect) => {
  const name = `bare-${era}`;
  const path = `/mcp/e/${name}`;
  beforeAll(async () => {
    await api.endpoints.create({ name, anonymous: true, nameStyle: 'none', selection: [{ serverId: 'fast' }] });
  });

  test("sees and uses everything under the server's own names", async () => {
    const client = await connect(at(path), undefined);
    expect(await names(client)).toEqual(['echo', 'add', 'slow', 'die', 'big']);
    expect(textOf(await client.callTool({ name: 'echo', arguments: { text: 'bare' } }))).toBe('bare');
    expect(textOf(await client.callTool({ name: 'fast::echo', arguments: { text: 'named' } }))).toBe('named');
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(['fast://motto']);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(['fast://item/{id}']);
    for (const uri of ['fast://motto', 'fast://item/7'])
      expect((await client.readResource({ uri })).contents.map((content) => content.uri)).toEqual([uri]);
    expect((await client.listPrompts()).prompts.map((prompt) => prompt.name)).toEqual(['greet']);
    expect((await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } })).messages).toHaveLength(1);
    const ref = { type: 'ref/prompt' as const, name: 'greet' };
    const completed = await client.complete({ ref, argument: { name: 'name', value: 'A' } });
    expect(completed.completion.values).toEqual(['Ada', 'Alan']);
    await client.close();
  });

  test('is nobody in the log, and sees nothing that is not selected', async () => {
    const client = await connect(at(path), undefined);
    await client.callTool({ name: 'echo', arguments: { text: 'logged' } });
    expect(await refused(client.callTool({ name: 'other::echo', arguments: { text: 'x' } }))).toContain('Unknown tool');
    const { records } = await api.audit.list({ kind: 'call', userId: 'anonymous' });
    expect(records).toContainEqual(
      expect.objectContaining({ serverId: 'fast', name: 'echo', tokenId: null, arguments: { text: 'logged' } }),
    );
    await client.close();
  });
});
