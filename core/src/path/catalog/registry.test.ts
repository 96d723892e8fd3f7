import { expect, test } from 'vitest';
import type { Listing, ServerRecord } from '#call';
import type { Offer } from './naming.ts';
import { createRegistry } from './registry.ts';

const SERVER = { workspaceId: 'w', serverId: 's', revision: 'r' } as ServerRecord;
const listingOf = (name: string): Listing => ({ tools: [{ name }], resources: [], templates: [], prompts: [] });

/** A store whose reads and writes take as long as the test says. */
const slowStore = () => {
  let stored: Offer = { server: SERVER, listing: undefined };
  const gates: (() => void)[] = [];
  const gate = () => new Promise<void>((open) => gates.push(open));
  const registry = createRegistry({
    all: async () => [stored],
    async one() {
      const read = stored;
      await gate();
      return read;
    },
    async saveListing(_workspaceId, _serverId, listing) {
      await gate();
      stored = { ...stored, listing };
    },
  });
  const put = (offer: Offer) => {
    stored = offer;
  };
  return { registry, gates, put };
};

test.each([
  ['before', 'the read ends', [0, 1]],
  ['before', 'it is stored', [1, 0]],
])('a list that was learnt while a server was read anew is not lost (%s: first %s)', async (_when, _first, order) => {
  const { registry, gates } = slowStore();
  await registry.load();
  const reading = registry.reload('w', 's');
  const learning = registry.learnt('w', 's', listingOf('new'));
  for (const at of order) {
    gates[at]?.();
    await new Promise((done) => setTimeout(done, 5));
  }
  await Promise.all([reading, learning]);
  expect(registry.get('w', 's')?.listing).toEqual(listingOf('new'));
});

test('what another process has stored since is what holds', async () => {
  const { registry, gates, put } = slowStore();
  await registry.load();
  const learning = registry.learnt('w', 's', listingOf('here'));
  gates[0]?.();
  await learning;
  put({ server: SERVER, listing: listingOf('elsewhere') });
  const reading = registry.reload('w', 's');
  gates[1]?.();
  await reading;
  expect(registry.get('w', 's')?.listing).toEqual(listingOf('elsewhere'));
});

/** A store that keeps what it is given. */
const quickStore = () => {
  let stored: Offer = { server: SERVER, listing: undefined };
  let saves = 0;
  const registry = createRegistry({
    all: async () => [stored],
    one: async () => stored,
    async saveListing(_workspaceId, _serverId, listing) {
      saves += 1;
      stored = { ...stored, listing };
    },
  });
  return { registry, stored: () => stored, saves: () => saves };
};

test('what a server lists to clients that can be asked is kept beside what it lists to everybody', async () => {
  const { registry, stored, saves } = quickStore();
  await registry.load();
  expect(await registry.learnt('w', 's', listingOf('early'), ['roots'])).toBe(false);
  await registry.learnt('w', 's', listingOf('base'));
  const before = registry.version();
  expect(await registry.learnt('w', 's', listingOf('more'), ['elicitation', 'roots'])).toBe(true);
  expect(await registry.learnt('w', 's', listingOf('base'), ['sampling'])).toBe(true);
  expect(registry.version()).toBe(before + 2);
  const { byKinds } = registry.get('w', 's')?.listing?.variants ?? {};
  expect(byKinds).toMatchObject({ 'elicitation,roots': { tools: [{ name: 'more' }] }, sampling: null });
  expect(stored().listing).toMatchObject({ tools: [{ name: 'base' }], variants: { revision: 'r', byKinds } });
  expect(await registry.learnt('w', 's', listingOf('more'), ['elicitation', 'roots'])).toBe(false);
  expect(await registry.learnt('w', 's', listingOf('base'))).toBe(false);
  expect(saves()).toBe(3);
  await registry.learnt('w', 's', listingOf('other'));
  expect(stored().listing).toEqual(listingOf('other'));
});
