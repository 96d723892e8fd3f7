import type { Client } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eras, textOf } from '../harness/clients.ts';
import { fixture, refusalOf, registerFixture, toolNames } from '../harness/fixtures.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
let token: string;
const LIMIT_MS = 1_000;

const at = (path: string) => `${peta.url}${path}`;

beforeAll(async () => {
  peta = await startPeta();
  ({ api, token } = await becomeOwner(peta));
  await Promise.all([
    registerFixture(api, 'fast'),
    registerFixture(api, 'other'),
    registerFixture(api, 'changing', fixture('changing', '--stdio')),
  ]);
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
    expect(await toolNames(client)).toEqual(['echo', 'add', 'slow', 'die', 'big']);
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
    expect(await refusalOf(client.callTool({ name: 'other::echo', arguments: { text: 'x' } }))).toContain(
      'Unknown tool',
    );
    const { records } = await api.audit.list({ kind: 'call', userId: 'anonymous' });
    expect(records).toContainEqual(
      expect.objectContaining({ serverId: 'fast', name: 'echo', tokenId: null, arguments: { text: 'logged' } }),
    );
    await client.close();
  });
});

describe.each(eras)('an endpoint made by an administrator, for a client of %s', (era, connect) => {
  const make = async (what: string, input: Omit<Parameters<Client['endpoints']['create']>[0], 'name'>) => {
    const { endpoint } = await api.endpoints.create({ name: `${what}-${era}`, ...input });
    return { name: endpoint.name, url: at(endpoint.path) };
  };

  test('shows renamed and re-described tools, gives fixed arguments and hides them', async () => {
    const changes = { add: { name: 'increment', title: 'Increment', description: 'Adds one', arguments: { b: 1 } } };
    const include = { tools: ['add', 'echo'] };
    const { url } = await make('changed', { nameStyle: 'none', selection: [{ serverId: 'fast', include, changes }] });
    const client = await connect(url, token);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['echo', 'increment']);
    expect(tools[1]).toMatchObject({ title: 'Increment', description: 'Adds one' });
    expect(tools[1]?.inputSchema).toMatchObject({ properties: { a: { type: 'number' } }, required: ['a'] });
    expect(JSON.stringify(tools[1]?.inputSchema)).not.toContain('"b"');
    for (const name of ['increment', 'fast::increment', 'fast::add'])
      expect(textOf(await client.callTool({ name, arguments: { a: 2 } }))).toBe('3');
    expect(await refusalOf(client.callTool({ name: 'increment', arguments: { a: 2, b: 5 } }))).toContain('arguments.b');
    const { json } = await callTool(url, token, 'increment', { a: 2, b: 5 });
    expect(json).toMatchObject({ error: { code: -32602 } });
    expect(await refusalOf(client.callTool({ name: 'fast::slow', arguments: { ms: 1 } }))).toContain('Unknown tool');
    expect(await refusalOf(client.readResource({ uri: 'fast://motto' }))).not.toBe('was not refused');
    const { records } = await api.audit.list({ kind: 'call', serverId: 'fast' });
    expect(records).toContainEqual(expect.objectContaining({ exposedName: 'increment', name: 'add', outcome: 'done' }));
    await client.close();
  });

  test('narrows what a person may see, and never widens it', async () => {
    const userId = `ada-${era}`;
    await api.users.create({ userId, name: 'Ada' });
    const permissions = { fast: { enabled: true, tools: { add: { enabled: false } } } };
    await api.users.setPermissions({ userId, permissions });
    const { secret } = await api.tokens.issue({ userId });
    const include = { tools: ['echo', 'add'] };
    const { url } = await make('narrow', {
      nameStyle: 'colons',
      selection: [{ serverId: 'other' }, { serverId: 'fast', include }],
    });
    const client = await connect(url, secret);
    expect(await toolNames(client)).toEqual(['fast::echo']);
    expect(await refusalOf(client.callTool({ name: 'other::echo', arguments: { text: 'x' } }))).toContain(
      'Unknown tool',
    );
    await client.close();
    const confined = (await api.tokens.issue({ userId, scope: { endpoints: [new URL(url).pathname] } })).secret;
    expect((await callTool(url, confined, 'fast::echo', { text: 'x' })).status).toBe(200);
    expect((await callTool(peta.mcpUrl, confined, 'fast::echo', { text: 'x' })).status).toBe(403);
  });

  test('reaches open sessions within a second when it changes', async () => {
    const { name, url } = await make('changing', { selection: [{ serverId: 'fast', include: { tools: ['echo'] } }] });
    const client = await connect(url, token);
    expect(await toolNames(client)).toEqual(['fast__echo']);
    const told: string[] = [];
    await client.onListChanged((kind) => told.push(kind));
    await new Promise((done) => setTimeout(done, 200));
    await api.endpoints.update({ name, selection: [{ serverId: 'fast', include: { tools: ['add'] } }] });
    await until('the client is told', async () => told.includes('tools'), LIMIT_MS);
    expect(await toolNames(client)).toEqual(['fast__add']);
    await client.close();
  });

  test('keeps two servers apart by their ids, and their URIs too', async () => {
    const include = { tools: ['echo'], resources: ['fast://motto', 'fast://item/{id}'] };
    const { url } = await make('both', {
      selection: [
        { serverId: 'other', include },
        { serverId: 'fast', include },
      ],
    });
    const client = await connect(url, token);
    expect(await toolNames(client)).toEqual(['other__echo', 'fast__echo']);
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(['other::fast://motto', 'fast::fast://motto']);
    expect((await client.readResource({ uri: 'other::fast://item/3' })).contents).toMatchObject([
      { uri: 'other::fast://item/3', text: 'item 3' },
    ]);
    await client.close();
  });

  test('gives a name that a server took later to the first of both, and says so', async () => {
    const [first, second] = [`first-${era}`, `second-${era}`];
    await Promise.all([
      registerFixture(api, first, fixture('changing')),
      registerFixture(api, second, fixture('changing')),
    ]);
    const changes = { grow: { name: 'grow-second' } };
    const selection = [{ serverId: first }, { serverId: second, changes }];
    const { name, url } = await make('later', { nameStyle: 'none', selection });
    const client = await connect(url, token);
    expect(await toolNames(client)).toEqual(['grow', 'grow-second']);
    await client.callTool({ name: 'grow-second' });
    await until('the second has grown', async () => (await toolNames(client)).includes('grown-1'));
    await client.callTool({ name: 'grow' });
    await until('the first has grown', async () => (await toolNames(client)).length === 4);
    expect(await toolNames(client)).toEqual(['grow', 'grown-1', 'grow-second', `${second}__grown-1`]);
    const { endpoint } = await api.endpoints.get({ name });
    expect(endpoint.notes).toEqual([expect.stringMatching(`${first}; .*reached as ${second}::grown-1`)]);
    for (const tool of ['grown-1', `${second}::grown-1`]) await client.callTool({ name: tool });
    const { records } = await api.audit.list({ kind: 'call', operation: 'tools/call', limit: 2 });
    expect(records.map(({ serverId }) => serverId)).toEqual([second, first]);
    await client.close();
  });
});

describe('what cannot be told apart is refused when it is saved', () => {
  const both = (serverId: string, include: object) => ({ serverId, include });
  const save = (...selection: ReturnType<typeof both>[]) =>
    refusalOf(api.endpoints.create({ name: 'refused', nameStyle: 'none', selection }));

  test('two tools', async () => {
    const message = await save(both('fast', { tools: ['echo'] }), both('other', { tools: ['echo'] }));
    expect(message).toContain('"echo" would stand for both the tool echo of fast and the tool echo of other.');
  });

  test('two equal URIs', async () => {
    const include = { resources: ['fast://motto'] };
    expect(await save(both('fast', include), both('other', include))).toContain('the resource fast://motto of other');
  });

  test('a tool renamed to another of its own server', async () => {
    const changes = { add: { name: 'echo' } };
    const selection = [{ serverId: 'fast', changes }];
    expect(await refusalOf(api.endpoints.create({ name: 'refused', selection }))).toContain('"fast__echo"');
    await expect(api.endpoints.get({ name: 'refused' })).rejects.toThrow('There is no endpoint "refused"');
  });

  test('an update, which leaves everything as it was', async () => {
    await api.endpoints.create({ name: 'kept', selection: [{ serverId: 'fast' }, { serverId: 'other' }] });
    expect(await refusalOf(api.endpoints.update({ name: 'kept', nameStyle: 'none' }))).toContain(
      'would stand for both',
    );
    expect((await api.endpoints.get({ name: 'kept' })).endpoint.nameStyle).toBe('safe');
  });
});
