import { type Client, createClient, type Operation, operations } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eras, type McpClient, textOf } from '../harness/clients.ts';
import { openStream } from '../harness/events.ts';
import { toolNames } from '../harness/fixtures.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';
import { callTool, initialize } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
const LIMIT_MS = 1_000;
const both = { everything: { enabled: true }, notes: { enabled: true } };

beforeAll(async () => {
  peta = await startPeta({ args: ['--demo'] });
  ({ api } = await becomeOwner(peta));
  await api.users.create({ userId: 'ada', name: 'Ada', permissions: both });
});
afterAll(cleanUp);

const issue = async (userId: string, scope = {}) => (await api.tokens.issue({ userId, scope })).secret;
const as = (token: string) => createClient(peta.url, { token });
const echo = (client: McpClient) => client.callTool({ name: 'everything__echo', arguments: { message: 'hi' } });
const isRefused = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => false,
    () => true,
  );
const serversSeen = async (client: McpClient) =>
  [...new Set((await toolNames(client)).map((name) => name.split('__')[0]))].sort();

describe('an auditor', () => {
  /** Everything that somebody could have changed. */
  const snapshot = async () =>
    JSON.stringify([
      await api.users.list({}),
      await api.servers.list({}),
      await api.endpoints.list({}),
      await api.teams.list({}),
      await api.roles.list({}),
      (await api.tokens.list({})).tokens.map(({ lastUsedAt: _, ...token }) => token),
    ]);

  test('reads what administrators read, and changes nothing, over every operation', async () => {
    await api.users.create({ userId: 'audrey', name: 'Audrey', roleId: 'auditor' });
    const token = await issue('audrey');
    const before = await snapshot();
    const ask = async ({ method, path }: Operation) => {
      const hasBody = method !== 'GET' && method !== 'DELETE';
      const response = await fetch(`${peta.url}/api/v1${path.replace(/:\w+/g, 'x')}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(hasBody && { 'content-type': 'application/json' }) },
        ...(hasBody && { body: '{}' }),
      });
      await response.body?.cancel();
      return response.status;
    };
    for (const [name, operation] of operations) {
      const { guard, method, isOwnSignIn } = operation;
      if (guard === 'open' || isOwnSignIn) continue;
      const mayRead = guard !== 'owner' && method === 'GET';
      expect([name, (await ask(operation)) !== 403]).toEqual([name, mayRead]);
    }
    expect(await snapshot()).toBe(before);
    const { users } = await as(token).users.list({});
    expect(users.map(({ userId }) => userId)).toContain('owner');
    const { records } = await as(token).audit.list({ userId: 'audrey', limit: 1000 });
    expect(records.length).toBeGreaterThan(20);
    expect(new Set(records.map(({ outcome }) => outcome))).toEqual(new Set(['refused']));
    expect(JSON.stringify(await as(token).servers.list({}))).not.toContain('launchConfig');
  });
});

describe('a role of the workspace', () => {
  test('adds its operations and no other, and follows its changes at once', async () => {
    await api.roles.create({ roleId: 'operator', operations: ['servers.list', 'servers.stop'] });
    await api.users.create({ userId: 'oskar', name: 'Oskar', roleId: 'operator' });
    const oskar = as(await issue('oskar'));
    expect((await oskar.servers.list({})).servers.length).toBeGreaterThan(1);
    await expect(oskar.servers.stop({ serverId: 'nothing' })).rejects.toMatchObject({ status: 404 });
    for (const refused of [
      () => oskar.users.list({}),
      () => oskar.servers.start({ serverId: 'notes' }),
      () => oskar.servers.remove({ serverId: 'notes' }),
      () => oskar.roles.create({ roleId: 'mine', operations: ['users.list'] }),
      () => oskar.users.update({ userId: 'oskar', roleId: null }),
      () => oskar.tokens.issue({ userId: 'ada' }),
    ])
      await expect(refused()).rejects.toMatchObject({ status: 403 });
    await api.roles.update({ roleId: 'operator', operations: ['users.list'] });
    await until('the change is there', () => isRefused(oskar.servers.list({})), LIMIT_MS);
    expect((await oskar.users.list({})).users.length).toBeGreaterThan(1);
    await api.roles.remove({ roleId: 'operator' });
    await until('the role is gone', () => isRefused(oskar.users.list({})), LIMIT_MS);
  });
});

describe.each(eras)('an agent with a client of %s', (era, connect) => {
  test('sees and calls what both it and its owner may, and follows its owner within a second', async () => {
    const userId = `grace-${era}`;
    const bot = `bot-${era}`;
    await api.users.create({ userId, name: 'Grace', permissions: { everything: { enabled: true } } });
    const grace = as(await issue(userId));
    await grace.agents.create({ userId: bot, permissions: both });
    const { secret } = await grace.tokens.issue({ userId: bot });
    const client = await connect(peta.mcpUrl, secret);
    expect(await serversSeen(client)).toEqual(['everything']);
    expect(textOf(await echo(client))).toContain('hi');
    await expect(client.callTool({ name: 'notes__list_notes', arguments: {} })).rejects.toThrow();

    const told: string[] = [];
    await client.onListChanged((kind) => told.push(kind));
    await new Promise((done) => setTimeout(done, 200));
    const tools = { echo: { enabled: false } };
    await api.users.setPermissions({ userId, permissions: { everything: { enabled: true, tools } } });
    const since = Date.now();
    await until('the agent is told', async () => told.includes('tools'), LIMIT_MS);
    expect(await toolNames(client)).not.toContain('everything__echo');
    expect(await isRefused(echo(client))).toBe(true);
    expect(Date.now() - since).toBeLessThan(LIMIT_MS);

    await api.users.setPermissions({ userId, permissions: both });
    await until('the agent reaches more', async () => (await serversSeen(client)).length === 2, LIMIT_MS);
    await api.agents.update({ userId: bot, permissions: { notes: { enabled: true } } });
    await until('its own layer counts too', async () => (await serversSeen(client)).join() === 'notes', LIMIT_MS);
    await client.close().catch(() => {});
  });

  test('is out as soon as its owner is disabled', async () => {
    const userId = `hedy-${era}`;
    const bot = `bot-of-hedy-${era}`;
    await api.users.create({ userId, name: 'Hedy', permissions: both });
    await api.agents.create({ userId: bot, ownerUserId: userId, permissions: both });
    const token = await issue(bot);
    const session = await initialize(peta.mcpUrl, token);
    const stream = await openStream(peta.mcpUrl, { token, session });
    expect((await callTool(peta.mcpUrl, token, 'everything__echo', { message: 'x' })).status).toBe(200);
    await api.users.disable({ userId });
    const since = Date.now();
    await stream.rest();
    expect(Date.now() - since).toBeLessThan(LIMIT_MS);
    expect((await callTool(peta.mcpUrl, token, 'everything__echo', { message: 'x' })).status).toBe(401);
    await api.users.update({ userId, status: 1 });
    expect((await callTool(peta.mcpUrl, token, 'everything__echo', { message: 'x' })).status).toBe(200);
    await api.users.remove({ userId });
    expect((await callTool(peta.mcpUrl, token, 'everything__echo', { message: 'x' })).status).toBe(401);
    expect((await api.agents.list({})).agents.map((agent) => agent.userId)).not.toContain(bot);
  });
});

describe.each(eras)('a token with a client of %s', (era, connect) => {
  const seenWith = async (scope: object) => {
    const client = await connect(peta.mcpUrl, await issue('ada', scope));
    const [tools, { resources }, { prompts }] = [
      await toolNames(client),
      await client.listResources(),
      await client.listPrompts(),
    ];
    const called = await isRefused(echo(client));
    await client.close();
    return { tools, others: resources.length + prompts.length, mayEcho: !called };
  };

  test('for a server sees no other', async () => {
    const { tools, mayEcho } = await seenWith({ servers: ['notes'] });
    expect(new Set(tools.map((name) => name.split('__')[0]))).toEqual(new Set(['notes']));
    expect(mayEcho).toBe(false);
  });

  test('for some tools sees those, and no resource and no prompt', async () => {
    const { tools, others, mayEcho } = await seenWith({ tools: ['notes::list_notes', 'everything::echo'] });
    expect(tools.sort()).toEqual(['everything__echo', 'notes__list_notes']);
    expect({ others, mayEcho }).toEqual({ others: 0, mayEcho: true });
    expect(await seenWith({ tools: ['notes::list_notes'] })).toMatchObject({
      tools: ['notes__list_notes'],
      mayEcho: false,
    });
  });

  test('for operations is for MCP only when it says so, and for no other operation', async () => {
    expect((await seenWith({ operations: ['mcp'] })).mayEcho).toBe(true);
    const secret = await issue('ada', { operations: ['me.get'] });
    expect(await isRefused(connect(peta.mcpUrl, secret))).toBe(true);
    expect((await as(secret).me.get({})).user.userId).toBe('ada');
    await expect(as(secret).me.preferences({})).rejects.toMatchObject({ status: 403 });
    await expect(as(secret).tokens.issue({})).rejects.toMatchObject({ status: 403 });
  });

  test('for an environment sees its servers, and those of none', async () => {
    const environmentId = `staging-${era}`;
    await api.environments.create({ environmentId });
    await api.servers.update({ serverId: 'everything', environment: environmentId });
    const inside = await seenWith({ environments: [environmentId] });
    const outside = await seenWith({ environments: ['production'] });
    expect([inside.mayEcho, outside.mayEcho]).toEqual([true, false]);
    expect(outside.tools.filter((name) => name.startsWith('everything__'))).toEqual([]);
    for (const { tools } of [inside, outside]) expect(tools).toContain('notes__list_notes');
    await api.servers.update({ serverId: 'everything', environment: null });
  });
});

test('a rotated token goes on for the overlap, and then what it has open ends too', async () => {
  const { token: old, secret } = await api.tokens.issue({ userId: 'ada' });
  const session = await initialize(peta.mcpUrl, secret);
  const stream = await openStream(peta.mcpUrl, { token: secret, session });
  const { secret: successor } = await api.tokens.rotate({ tokenId: old.tokenId, overlapSeconds: 2 });
  const since = Date.now();
  const works = async (token: string) =>
    (await callTool(peta.mcpUrl, token, 'everything__echo', { message: 'x' })).status === 200;
  expect([await works(secret), await works(successor)]).toEqual([true, true]);
  await stream.rest();
  expect(Date.now() - since).toBeGreaterThan(1_500);
  expect(Date.now() - since).toBeLessThan(2_000 + LIMIT_MS);
  expect([await works(secret), await works(successor)]).toEqual([false, true]);
});

test('sessions are seen by those they belong to and by administrators, and end within a second', async () => {
  await api.users.create({ userId: 'sid', name: 'Sid', permissions: both });
  const token = await issue('sid');
  const session = await initialize(peta.mcpUrl, token);
  const stream = await openStream(peta.mcpUrl, { token, session });
  const sessions = await until('the open stream being counted', async () => {
    const { sessions: found } = await as(token).sessions.list({});
    return found[0]?.openStreams === 1 && found;
  });
  expect(sessions).toMatchObject([
    {
      userId: 'sid',
      client: { name: 'raw', version: '1' },
      endpoint: '/mcp',
      protocolVersion: '2025-11-25',
      openStreams: 1,
    },
  ]);
  expect(JSON.stringify(sessions)).not.toContain(session);
  const sessionId = sessions[0]?.sessionId ?? '';
  await expect(as(await issue('ada')).sessions.end({ sessionId })).rejects.toMatchObject({ status: 404 });
  expect((await api.sessions.list({ userId: 'sid' })).sessions).toMatchObject([{ sessionId, userId: 'sid' }]);
  await api.sessions.end({ sessionId });
  const since = Date.now();
  await stream.rest();
  expect(Date.now() - since).toBeLessThan(LIMIT_MS);
  const again = await openStream(peta.mcpUrl, { token, session });
  expect(again.status).toBe(404);
  expect((await as(token).sessions.list({})).sessions).toEqual([]);
});
