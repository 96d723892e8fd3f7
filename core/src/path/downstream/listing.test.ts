import { expect, test } from 'vitest';
import type { JsonObject } from '#call';
import { RpcError } from './errors.ts';
import { collectListing } from './listing.ts';

type Answer = (params: JsonObject) => JsonObject;
const server = (capabilities: JsonObject, answers: Record<string, Answer>) => {
  const asked: string[] = [];
  return {
    asked,
    capabilities,
    isStateless: false,
    request: async (method: string, params: JsonObject) => {
      asked.push(method);
      const answer = answers[method];
      if (!answer) throw new RpcError(-32601, 'Method not found', undefined);
      return answer(params);
    },
  };
};
const names = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `n${i}` }));

test('all pages are collected, as the server wrote them', async () => {
  const pages = server(
    { tools: {} },
    {
      'tools/list': ({ cursor }) =>
        cursor === undefined
          ? { tools: [{ name: 'a', odd: { kept: true } }], nextCursor: 'second' }
          : { tools: [{ name: 'b' }] },
    },
  );
  expect((await collectListing(pages, 100)).tools).toEqual([{ name: 'a', odd: { kept: true } }, { name: 'b' }]);
});

test('only what the server announces is asked for', async () => {
  const quiet = server({ prompts: {} }, { 'prompts/list': () => ({ prompts: [] }) });
  await collectListing(quiet, 100);
  expect(quiet.asked).toEqual(['prompts/list']);
});

test('what the server declares is kept, and how long each of its lists holds: as its shortest page', async () => {
  const capabilities = { tools: {}, prompts: {}, extensions: { 'a/b': { c: [1] } } };
  const hinted = server(capabilities, {
    'tools/list': ({ cursor }) =>
      cursor === undefined
        ? { tools: [], nextCursor: 'second', ttlMs: 9_000, cacheScope: 'public' }
        : { tools: [], ttlMs: 5_000.5, cacheScope: 'public' },
    'prompts/list': () => ({ prompts: [], ttlMs: -1 }),
  });
  expect(await collectListing(hinted, 100)).toMatchObject({
    capabilities,
    freshness: { tools: { ttlMs: 5_000, cacheScope: 'public' }, prompts: { ttlMs: 0, cacheScope: 'private' } },
  });
});

test('a list that the server does not have holds no other back', async () => {
  const plain = server({ resources: {} }, { 'resources/list': () => ({ resources: [], ttlMs: 1 }) });
  expect((await collectListing(plain, 100)).freshness).toEqual({ resources: { ttlMs: 1, cacheScope: 'private' } });
});

test('a server that has resources need not know templates', async () => {
  const plain = server({ resources: {} }, { 'resources/list': () => ({ resources: [{ uri: 'a:b' }] }) });
  expect(await collectListing(plain, 100)).toMatchObject({ resources: [{ uri: 'a:b' }], templates: [] });
});

test('a list that fails for another reason is no empty list', async () => {
  const broken = server(
    { resources: {} },
    {
      'resources/list': () => ({ resources: [] }),
      'resources/templates/list': () => {
        throw new RpcError(-32603, 'try later', undefined);
      },
    },
  );
  await expect(collectListing(broken, 100)).rejects.toThrow('try later');
});

test.each([
  ['pages', () => ({ tools: [], nextCursor: 'again' })],
  ['entries on many pages', () => ({ tools: names(200), nextCursor: 'again' })],
  ['entries on one page', () => ({ tools: names(10_001) })],
])('a list without end is given up: %s', async (_what, answer) => {
  const endless = server({ tools: {} }, { 'tools/list': answer });
  await expect(collectListing(endless, 100)).rejects.toThrow('do not end');
  expect(endless.asked.length).toBeLessThanOrEqual(64);
});

test('a list that is none is a failure, not an empty list', async () => {
  const odd = server({ tools: {} }, { 'tools/list': () => ({ tools: 'none' }) });
  await expect(collectListing(odd, 100)).rejects.toThrow('without a list of tools');
});
