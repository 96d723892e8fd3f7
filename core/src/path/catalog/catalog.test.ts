import type { NameStyle, Selected } from '@peta/api';
import { expect, test } from 'vitest';
import {
  type Admitted,
  type Ask,
  type Caller,
  type CapabilityKind,
  EVERYWHERE,
  type JsonObject,
  type Listing,
  type ServerRecord,
} from '#call';
import { createCatalog } from './catalog.ts';
import { createEndpoints } from './endpoints.ts';
import { kindsOf } from './kinds.ts';
import type { Offer } from './naming.ts';
import { withVariant } from './variants.ts';

const server = (serverId: string): ServerRecord => ({
  workspaceId: 'default',
  serverId,
  serverName: serverId,
  enabled: true,
  publicAccess: false,
  anonymousAccess: serverId === 'open',
  anonymousRateLimit: 10,
  lazyStartEnabled: true,
  environment: null,
  switches: { enabled: true },
  revision: 'r',
});
const caller: Caller = {
  workspaceId: 'default',
  kind: 'user',
  userId: 'ada',
  role: 3,
  tokenId: 't',
  scope: EVERYWHERE,
  operations: null,
  isAuditor: false,
  owner: null,
  endsAt: null,
  permissions: {},
  preferences: {},
};
const admitted = (endpoint: string, capabilities: JsonObject = {}): Admitted => ({
  endpoint,
  address: '',
  sessionId: undefined,
  caller,
  client: { name: 'c', version: '', capabilities },
});
const ask = (exposedName: string, args: JsonObject = {}, kind: CapabilityKind = 'tool'): Ask => ({
  callId: 'c',
  requestId: 1,
  method: kind === 'tool' ? 'tools/call' : 'resources/read',
  kind,
  exposedName,
  params: { arguments: args },
  notify: () => {},
  signal: new AbortController().signal,
});

const LISTING: Listing = {
  tools: [{ name: 'echo' }, { name: 'add' }],
  resources: [],
  templates: [{ uriTemplate: 'x://{id}' }, { uriTemplate: 'secret://{id}' }],
  prompts: [],
  freshness: { tools: { ttlMs: 9, cacheScope: 'public' } },
};

type Made = { nameStyle?: NameStyle; selection: Selected[]; listed?: boolean };
/** A catalog of two servers and one endpoint, `/mcp/e/e`. Names that begin with `denied` are denied by policy. */
const build = async ({ nameStyle = 'none', selection, listed = true }: Made) => {
  const learnt: string[] = [];
  const explored: string[] = [];
  const all: Offer[] = ['closed', 'open'].map((id) => ({ server: server(id), listing: listed ? LISTING : undefined }));
  let version = 0;
  const offers = { all: () => all, version: () => version };
  /** What such clients are listed, besides what everybody is. */
  const extra = [{ name: 'ask' }, { name: 'echo', description: 'And asks' }];
  const templates = [...LISTING.templates, { uriTemplate: 'some://{hidden}' }];
  const explore = async (servers: readonly ServerRecord[], capabilities: JsonObject) => {
    version += 1;
    for (const [at, { server: one, listing }] of all.entries()) {
      if (!servers.includes(one) || !listing) continue;
      explored.push(one.serverId);
      const lists = { ...LISTING, tools: [{ name: 'add' }, ...extra], templates };
      all[at] = { server: one, listing: withVariant(listing, 'r', kindsOf(capabilities), lists) };
    }
  };
  const record = { workspaceId: 'default', name: 'e', enabled: true, anonymous: false, nameStyle, selection };
  const stored = new Map([['e', record]]);
  const endpoints = createEndpoints({
    store: { all: async () => [...stored.values()], one: async (_workspaceId, name) => stored.get(name) },
    offers,
    nameStyle: 'safe',
  });
  await endpoints.load();
  const catalog = createCatalog({
    offers,
    endpoints,
    allows: (_server, _admitted, _kind, name) => !/^denied|^secret|\{hidden\}/.test(name),
    allowsServer: () => true,
    learn: async (_workspaceId, serverIds) => void learnt.push(...serverIds),
    explore,
  });
  const resolve = (one: Ask, endpoint = '/mcp/e/e', capabilities: JsonObject = {}) =>
    catalog.resolve(one, admitted(endpoint, capabilities));
  return { catalog, endpoints, stored, resolve, learnt, explored };
};

test('a renamed tool is called by its own name, with the arguments that the endpoint gives', async () => {
  const changes = { add: { name: 'increment', arguments: { b: 1 } } };
  const { resolve } = await build({ selection: [{ serverId: 'open', changes }] });
  expect(await resolve(ask('increment', { a: 2 }))).toMatchObject({
    capability: { serverId: 'open', name: 'add' },
    params: { arguments: { a: 2, b: 1 } },
  });
  expect(await resolve(ask('increment', { a: 2, b: 1 }))).toMatchObject({
    kind: 'failed',
    error: { code: -32602, message: expect.stringContaining('arguments.b') },
  });
});

test('a server whose list is not known is called all the same, for what was selected of it', async () => {
  const include = { tools: ['add'], resources: [], prompts: [] };
  const changes = { add: { name: 'increment', arguments: { b: 1 } } };
  const { resolve, learnt } = await build({ selection: [{ serverId: 'open', include, changes }], listed: false });
  for (const name of ['increment', 'open::increment', 'open__add'])
    expect(await resolve(ask(name))).toMatchObject({ capability: { name: 'add' }, params: { arguments: { b: 1 } } });
  for (const name of ['echo', 'open::echo', 'closed::add'])
    expect(await resolve(ask(name))).toMatchObject({ code: 'unknown-capability' });
  expect(new Set(learnt)).toEqual(new Set(['open']));
});

test('an unlisted URI is read where a selected template has it, and no switch takes it', async () => {
  const include = { tools: [], resources: ['x://{id}', 'secret://{id}'], prompts: [] };
  const { resolve } = await build({ selection: [{ serverId: 'open', include }] });
  expect(await resolve(ask('x://1', {}, 'resource'))).toMatchObject({
    capability: { serverId: 'open', name: 'x://1' },
  });
  for (const uri of ['secret://1', 'y://1', 'denied://1', 'closed::x://1'])
    expect(await resolve(ask(uri, {}, 'resource'))).toMatchObject({ code: 'unknown-capability' });
});

test('the URIs of a result are those of the endpoint at which it was asked', async () => {
  const { catalog, resolve } = await build({ selection: [{ serverId: 'open' }] });
  const result = { content: [{ type: 'resource_link', uri: 'x://1' }] };
  const uriAt = async (endpoint: string) => {
    const call = await resolve(ask('open::echo'), endpoint);
    if (call.kind === 'refused' || call.kind === 'failed') throw new Error('refused');
    const outcome = catalog.present(call, { kind: 'done', result, isToolError: false });
    return JSON.stringify(outcome);
  };
  expect(await uriAt('/mcp/e/e')).toContain('"x://1"');
  expect(await uriAt('/mcp')).toContain('"open::x://1"');
});

test('a change of an endpoint is seen at once, and one that is gone shows nothing', async () => {
  const { catalog, endpoints, stored } = await build({ selection: [{ serverId: 'open' }] });
  const before = catalog.currentView(admitted('/mcp/e/e'));
  expect(catalog.currentView(admitted('/mcp/e/e'))).toBe(before);
  const record = stored.get('e');
  if (record) stored.set('e', { ...record, nameStyle: 'colons' });
  await endpoints.reload('default', 'e');
  const after = catalog.currentView(admitted('/mcp/e/e'));
  expect(after.tools.map(({ name }) => name)).toEqual(['open::echo', 'open::add']);
  expect(after.digests.tools).not.toBe(before.digests.tools);
  stored.clear();
  await endpoints.reload('default', 'e');
  expect(endpoints.isOpen('default', '/mcp/e/e')).toBe(false);
  expect(catalog.currentView(admitted('/mcp/e/e')).tools).toEqual([]);
});

test('/mcp/public shows the servers that are marked for anybody, and /mcp everything', async () => {
  const { catalog, endpoints } = await build({ selection: [{ serverId: 'closed' }] });
  const namesAt = (path: string) => catalog.currentView(admitted(path)).tools.map(({ name }) => name);
  expect(namesAt('/mcp/public')).toEqual(['open__echo', 'open__add']);
  expect(namesAt('/mcp')).toHaveLength(4);
  expect(endpoints.forAnybody('/mcp/public')?.servers).toEqual(new Map([['open', 10]]));
  expect([endpoints.forAnybody('/mcp'), endpoints.forAnybody('/mcp/e/e')]).toEqual([undefined, undefined]);
  expect([
    endpoints.isOpen('default', '/mcp'),
    endpoints.isOpen('default', '/api/v1'),
    endpoints.isOpen('default', '/mcp/e/none'),
  ]).toEqual([true, true, false]);
});

test('a client that can be asked is shown what it is offered, in the words that are for it, and no other client is', async () => {
  const { catalog, explored } = await build({ selection: [{ serverId: 'open' }] });
  const shown = async (capabilities: JsonObject) =>
    (await catalog.view(admitted('/mcp/e/e', capabilities))).tools.map(({ name, description }) =>
      [name, description].join(' ').trim(),
    );
  expect(await shown({})).toEqual(['echo', 'add']);
  expect(explored).toEqual([]);
  expect(await shown({ elicitation: {} })).toEqual(['add', 'ask', 'echo And asks']);
  expect(await shown({ elicitation: { form: {} } })).toHaveLength(3);
  expect(explored).toEqual(['open']);
  expect(await shown({})).toEqual(['echo', 'add']);
  expect(await shown({ roots: {} })).toHaveLength(3);
  expect(explored).toEqual(['open', 'open']);
});

test('a list that is not the same for all is for the one who asked, also where anybody may ask', async () => {
  const { catalog } = await build({ selection: [{ serverId: 'open' }] });
  const anybody: Caller = { ...caller, kind: 'anonymous' };
  const scopeFor = async (capabilities: JsonObject) => {
    const { freshness } = await catalog.view({ ...admitted('/mcp/public', capabilities), caller: anybody });
    return freshness.tools.cacheScope;
  };
  expect(await scopeFor({})).toBe('public');
  expect(await scopeFor({ roots: {} })).toBe('private');
  expect(await scopeFor({})).toBe('private');
});

test('what only some are offered is called by those, also before they have looked, and is unknown to others', async () => {
  const { resolve, explored } = await build({ selection: [{ serverId: 'open' }] });
  expect(await resolve(ask('ask'))).toMatchObject({ code: 'unknown-capability' });
  expect(explored).toEqual([]);
  expect(await resolve(ask('ask'), '/mcp/e/e', { sampling: {} })).toMatchObject({
    capability: { serverId: 'open', name: 'ask' },
  });
  expect(await resolve(ask('ask'))).toMatchObject({ code: 'unknown-capability' });
  expect(await resolve(ask('nothing'), '/mcp/e/e', { sampling: {} })).toMatchObject({ code: 'unknown-capability' });
  expect(explored).toEqual(['open']);
});

test('a server whose list is not known is not asked what it offers to some', async () => {
  const { catalog, explored, learnt } = await build({ selection: [{ serverId: 'open' }], listed: false });
  const view = await catalog.view(admitted('/mcp/e/e', { roots: {} }));
  expect([view.unlisted, view.unexplored, learnt, explored]).toEqual([['open'], [], ['open'], []]);
});

test('a template that only some are listed takes its URIs with it for everybody once it is switched off', async () => {
  const { resolve } = await build({ selection: [{ serverId: 'open' }] });
  expect(await resolve(ask('some://1', {}, 'resource'))).toMatchObject({ capability: { name: 'some://1' } });
  await resolve(ask('ask'), '/mcp/e/e', { sampling: {} });
  for (const capabilities of [{}, { sampling: {} }])
    expect(await resolve(ask('some://1', {}, 'resource'), '/mcp/e/e', capabilities)).toMatchObject({
      code: 'unknown-capability',
    });
});
