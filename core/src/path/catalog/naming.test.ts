import type { NameStyle, Selected } from '@peta/api';
import { expect, test } from 'vitest';
import type { Listing } from '#call';
import { nameAll, type Picked } from './naming.ts';

const EMPTY: Listing = { tools: [], resources: [], templates: [], prompts: [] };

const picked = (serverId: string, listing: Partial<Listing> | undefined, chosen: Partial<Selected> = {}): Picked => ({
  offer: {
    server: {
      workspaceId: 'w',
      serverId,
      serverName: serverId,
      enabled: true,
      publicAccess: false,
      anonymousAccess: false,
      anonymousRateLimit: 10,
      lazyStartEnabled: true,
      environment: null,
      switches: { enabled: true },
      revision: 'r',
    },
    listing: listing && { ...EMPTY, ...listing },
  },
  chosen: { serverId, ...chosen },
});
const tools = (...names: string[]) => ({ tools: names.map((name) => ({ name })) });
const shown = (style: NameStyle, ...all: Picked[]) =>
  nameAll(all, style).entries.map(({ definition: { name, uri, uriTemplate } }) => name ?? uri ?? uriTemplate);
const only = (names: { tools?: string[]; resources?: string[]; prompts?: string[] }) => ({
  include: { tools: [], resources: [], prompts: [], ...names },
});

test.each<[NameStyle, string[]]>([
  ['safe', ['b__echo', 'a__echo']],
  ['colons', ['b::echo', 'a::echo']],
  ['none', ['echo', 'a__echo']],
])('in the style %s two servers of one tool are shown as %j, in the order of the endpoint', (style, names) => {
  expect(shown(style, picked('b', tools('echo')), picked('a', tools('echo')))).toEqual(names);
});

test.each<NameStyle>(['safe', 'colons', 'none'])('in the style %s both forms with the id lead to the tool', (style) => {
  const naming = nameAll([picked('a', tools('echo')), picked('b', tools('echo'))], style);
  for (const name of ['b::echo', 'b__echo'])
    expect(naming.find('tool', name)).toEqual({ kind: 'tool', serverId: 'b', name: 'echo' });
  expect(naming.find('prompt', 'b::echo')).toBeUndefined();
});

test('a collision is told with both, and the first keeps the name', () => {
  const { collisions, find } = nameAll([picked('a', tools('echo', 'x')), picked('b', tools('x'))], 'none');
  const [first, second] = ['a', 'b'].map((serverId) => ({ kind: 'tool', serverId, name: 'x' }));
  expect(collisions).toEqual([{ name: 'x', first, second }]);
  expect(find('tool', 'x')).toEqual(first);
  expect(find('tool', 'b::x')).toEqual(second);
});

test('what is shown wins over what is merely accepted, and nothing is shown twice', () => {
  const naming = nameAll(
    [picked('a', tools('b__x', 'b::x')), picked('b', tools('x')), picked('c', tools('x'))],
    'none',
  );
  expect(naming.find('tool', 'b__x')).toMatchObject({ serverId: 'a' });
  expect(naming.find('tool', 'c::x')).toMatchObject({ serverId: 'c' });
  expect(new Set(naming.entries.map(({ definition }) => definition.name)).size).toBe(4);
  expect(naming.find('tool', 'x')).toMatchObject({ serverId: 'b' });
});

test('two tools may take each other’s names, and the name that is shown is the one that counts', () => {
  const changes = { a: { name: 'b' }, b: { name: 'a' } };
  const { find, collisions } = nameAll([picked('s', tools('a', 'b'), { changes })], 'safe');
  expect(collisions).toEqual([]);
  expect(find('tool', 's__a')).toMatchObject({ name: 'b' });
  expect(find('tool', 's__b')).toMatchObject({ name: 'a' });
});

test('only what is included is there, by any name', () => {
  const listing = {
    ...tools('one', 'two'),
    prompts: [{ name: 'ask' }],
    resources: [{ uri: 'x://1' }, { uri: 'x://2' }],
    templates: [{ uriTemplate: 'x://{id}/y' }],
  };
  const chosen = only({ tools: ['two'], resources: ['x://2', 'x://{id}/y'] });
  expect(shown('none', picked('s', listing, chosen))).toEqual(['two', 'x://2', 'x://{id}/y']);
  const { find } = nameAll([picked('s', listing, chosen)], 'none');
  for (const name of ['one', 's::one', 's__one']) expect(find('tool', name)).toBeUndefined();
  expect(find('prompt', 'ask')).toBeUndefined();
});

test('fixed arguments leave the schema, and the rest of it stays', () => {
  const inputSchema = {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'string' } },
    required: ['a', 'b'],
    additionalProperties: false,
  };
  const changes = { t: { arguments: { b: 'x' }, description: 'new' } };
  const [entry] = nameAll(
    [picked('s', { tools: [{ name: 't', description: 'old', inputSchema }] }, { changes })],
    'none',
  ).entries;
  expect(entry?.definition).toEqual({
    name: 't',
    description: 'new',
    inputSchema: { ...inputSchema, properties: { a: { type: 'number' } }, required: ['a'] },
  });
});

test('a name that every object inherits is no change', () => {
  const [entry] = nameAll([picked('s', tools('constructor'), { changes: {} })], 'none').entries;
  expect(entry?.definition).toEqual({ name: 'constructor' });
});

test('names are taken as they are given, by the server that gives them first', () => {
  expect(shown('none', picked('a', undefined), picked('b', tools('echo')))).toEqual(['echo']);
});

test('without prefixes a URI leads back to the server it came from, listed or not', () => {
  const { uris, collisions } = nameAll(
    [
      picked('a', { resources: [{ uri: 'x://1' }], templates: [{ uriTemplate: 'a://{id}' }] }),
      picked('b', { resources: [{ uri: 'x://1' }, { uri: 'x://2' }], templates: [{ uriTemplate: 'a://{id}' }] }),
    ],
    'none',
  );
  expect(collisions.map(({ name }) => name)).toEqual(['x://1', 'a://{id}']);
  const cases: [string, string, string][] = [
    ['a', 'x://1', 'x://1'],
    ['b', 'x://1', 'b::x://1'],
    ['b', 'x://2', 'x://2'],
    ['a', 'a://7', 'a://7'],
    ['b', 'a://7', 'b::a://7'],
    ['a', 'z://unlisted', 'a::z://unlisted'],
    ['b', 'ui://panel/x', 'ui://b/panel/x'],
  ];
  for (const [serverId, uri, exposed] of cases) {
    expect(uris.shown(serverId, uri)).toBe(exposed);
    const own = uris.own(exposed);
    expect([own?.picked.offer.server.serverId, own?.uri]).toEqual([serverId, uri]);
  }
  expect(uris.own('z://unlisted')).toBeUndefined();
});

test('one server alone without prefixes keeps every URI', () => {
  const { uris } = nameAll([picked('panel', { resources: [] })], 'none');
  for (const uri of ['x://1', 'ui://panel/x', 'ui://other/x', 'mailto:a@b']) {
    expect(uris.shown('panel', uri)).toBe(uri);
    expect(uris.own(uri)).toMatchObject({ uri });
  }
  expect(uris.own('panel::x://1')).toMatchObject({ uri: 'x://1' });
});

test('with prefixes only the exposed form leads to a server', () => {
  const { uris } = nameAll([picked('a', { resources: [{ uri: 'x://1' }] })], 'safe');
  expect(uris.shown('a', 'x://1')).toBe('a::x://1');
  expect(uris.own('x://1')).toBeUndefined();
  expect(uris.own('b::x://1')).toBeUndefined();
});
